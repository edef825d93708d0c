// Package federation joins one bus to any number of others through NATS. A bus with its Limpet is a member of the
// federation; members know each other by the federation's name.
//
// This package is the shell: it wires the parts together, starts them and ends them. What decides is in packages without
// I/O: what becomes of a Request (routing), how long a lease may be trusted (lease), in which order changes come
// (sequence), where names lead (directory). Which messages have come before, by NATS or by pairs that join the same
// buses, each bus knows itself (Ksock.Carry). A message takes one of two ways, each a package of its own, which meet only
// in the Requests under way (exchange):
//
//	bus  -> outbound ->  NATS
//	NATS -> inbound  ->  bus
//
// The rest keeps names and leases:
//
//	directory/mirror  our copy of the directory
//	admission.go      binds on our bus that wait for a decision
//	claims            and the claims in the directory that they need
//	proxies.go        claims of other members that need a bind on our bus
//	leasekeeper       our own lease; epoch.go gives all names up when it ends
//	peerleases        the leases of others, and eviction
//	gaps.go           counting what was lost
//	maintenance.go    what is tried again, and what no event starts
//	resync.go         learning anew which Repliers the bus has
//	wire.go           the parts of a session, and prepare.go what its Ksock must be
//	status.go         how it all looks
//
// In the code a bus with its Limpet is a member. People who use kbus-limpet know it as a bowl, so texts for them say bowl:
// messages, logs, and the words that are stored and sent.
package federation

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// Pauses between sessions grow, and more so when a member loses its lease soon. To begin a session is work for all other
// members; if it is that work for which leases come late, only less of it helps.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 10 * time.Second
	steady     = time.Minute // so long a session lasts that was worth it
	calmPause  = 4 * time.Second
	calmest    = time.Minute
)

// Member is a bus in a federation.
type Member struct {
	Config
	nc    *nats.Conn
	space subject.Space
	ready func()     // called when a session has begun
	fatal chan error // what NATS will never allow
}

// New makes a Member on a connection to NATS, which must not buffer while it is cut. Ready is called each time that the
// bus has been joined.
func New(nc *nats.Conn, c Config, ready func()) (*Member, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	space, err := subject.New(c.Federation)
	m := &Member{Config: c, nc: nc, space: space, ready: ready, fatal: make(chan error, 1)}
	retry.Attend(nc, c.Log, c.ID, c.Federation, m.fatal)
	return m, err
}

// Run keeps the bus joined until ctx ends. A session that ends, because the bus is lost or the lease has run out, is
// followed by another, in a later epoch. Run fails with a *retry.Refusal, which no waiting will mend.
func (m *Member) Run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var fatal *retry.Refusal
	go func() {
		select {
		case err := <-m.fatal:
			end(err)
		case <-ctx.Done():
		}
	}()
	pause := firstPause
	for {
		begun, err := m.join(ctx)
		switch {
		case errors.As(context.Cause(ctx), &fatal):
			return fatal
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &fatal):
			return err
		case begun:
			pause = firstPause
		}
		m.Log.Warn("the bus is not joined, trying again", "why", err, "pause", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// join runs one session after the other, from when the bus is there until it is lost, or what the servers have stored is.
func (m *Member) join(ctx context.Context) (begun bool, err error) {
	ctx, end := context.WithCancelCause(ctx)
	admission, err := m.newAdmission(ctx)
	if err != nil {
		end(nil)
		return false, err
	}
	defer admission.ksock.Close() // which decides the bind requests that are left
	defer end(nil)
	go func() { end(admission.run(ctx)) }()
	mirror, err := m.openMirror(ctx, end)
	if err != nil {
		return false, err
	}
	for pause, most := firstPause, lastPause; ; pause = min(2*pause, most) {
		start := now()
		joined, err := m.newSession(ctx, admission, mirror).run(ctx)
		begun = begun || joined
		switch {
		case errors.Is(err, errFenced) && now().Sub(start) < steady:
			pause, most = max(pause, calmPause), calmest
		case joined:
			pause, most = firstPause, lastPause
		}
		var fatal *retry.Refusal
		switch {
		case ctx.Err() != nil:
			return begun, context.Cause(ctx)
		case errors.As(err, &fatal), errors.Is(err, store.ErrAnew):
			return begun, err
		}
		m.Log.Warn("the session has ended, another follows", "why", err)
		select {
		case <-ctx.Done():
			return begun, context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)): // others may have lost theirs at the same moment
		}
	}
}

// openMirror opens the federation's buckets, as soon as a cluster can do that: one that has just been started needs a few
// seconds. It returns when all that is in the directory is known. Following it goes on until ctx ends; if that fails, end
// is called.
func (m *Member) openMirror(ctx context.Context, end context.CancelCauseFunc) (*mirror.Mirror, error) {
	nc := store.NATS{Conn: m.nc, Domain: m.Domain}
	var names, leases *store.Bucket
	err := retry.Until(ctx, m.Log, "the federation's directory cannot be opened yet", func(ctx context.Context) (err error) {
		if names, err = store.OpenBucket(ctx, nc, m.bucket(), m.space.Changes("names"), m.Replicas); err != nil {
			return err
		}
		leases, err = leasekeeper.Open(ctx, nc, m.Federation, m.Replicas)
		return err
	})
	if err != nil {
		return nil, err
	}
	copied := mirror.New(m.ID, names, leases)
	caught := make(chan struct{})
	go func() { end(copied.Follow(ctx, func() { close(caught) })) }()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-caught:
		return copied, nil
	}
}

// bucket of the directory; names of buckets have no dots.
func (m *Member) bucket() string { return "kb_" + m.Federation + "_names" }

// now is the clock of leases. It goes on while the machine sleeps.
func now() time.Time { return leasekeeper.Now() }
