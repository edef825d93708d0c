// Package federation joins one bus to any number of others through NATS. A bus with its Limpet is a bowl; the bowls
// that know each other by the same name are a federation.
//
// The parts that decide are state machines without I/O, in packages of their own: what becomes of a Request (routing),
// how long a lease may be trusted (lease), in which order changes come (sequence), where names lead (directory). Which
// messages have been heard before, by NATS or by pairs that join the same buses, each bus knows itself (Ksock.Carry).
// This package is the shell around them: a session holds the bus and the epoch of the bowl together, and each file is
// one flow through it:
//
//	ear.go        from the bus to NATS
//	mouth.go      from NATS to the bus
//	requests.go   Requests and their answers, both ways
//	guard.go      who may become a Replier
//	atlas.go      our copy of the directory
//	clerk.go      Binds on our bus that need a claim in the directory
//	proxies.go    claims of other bowls that need a Bind on our bus
//	tenure.go     our lease (see package office), and fencing
//	monitor.go    the leases of others, and eviction
//	loss.go       counting what was lost
package federation

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/office"
	"kbus/limpet/federation/subject"
)

// Config is what a bowl must know.
type Config struct {
	ID         uint32   // network id of the bowl, not 0; no two bowls have the same
	Federation string   // name of the federation
	Names      []string // bindings that are shared with the other bowls
	Available  bool     // Repliers are kept while nobody can vouch for them, and the older claim wins later
	Replicas   int      // of the directory, if this bowl is the one that makes it
	Where      string   // which bus of which machine this is, to know it again
	Log        *slog.Logger
	Open       func(context.Context) (*kbus.Ksock, error) // opens the Ksock of a session
}

// Check tells what is wrong with a Config.
func (c *Config) Check() error {
	if c.ID == 0 {
		return errors.New("the id of a bowl is a number from 1 to 4294967295, its own in the whole federation: --id N")
	}
	for _, name := range c.Names {
		if err := checkShared(name); err != nil {
			return err
		}
	}
	_, err := subject.New(c.Federation)
	return err
}

var (
	errFenced = errors.New("nobody has vouched for this bowl for too long: it has given its names up")
	errUsurp  = errors.New("the directory knows a later epoch of this bowl")
)

// pauses between sessions grow, and more so when a bowl loses its lease soon. To begin a session is work for all other
// bowls; if it is that work for which leases come late, only less of it helps.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 10 * time.Second
	steady     = time.Minute // so long a session lasts that was worth it
	calmPause  = 4 * time.Second
	calmest    = time.Minute
)

// Bowl is a bus in a federation.
type Bowl struct {
	Config
	nc    *nats.Conn
	space subject.Space
	ready func()     // called when a session has begun
	fatal chan error // what NATS will never allow
}

// New makes a bowl on a connection to NATS, which must not buffer while it is cut. Ready is called each time that the
// bus has been joined.
func New(nc *nats.Conn, c Config, ready func()) (*Bowl, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	space, err := subject.New(c.Federation)
	b := &Bowl{Config: c, nc: nc, space: space, ready: ready, fatal: make(chan error, 1)}
	nc.SetErrorHandler(office.Complaints(c.Log, c.ID, c.Federation, b.fatal))
	return b, err
}

// Run keeps the bus joined until ctx ends. A session that ends, because the bus is lost or the bowl was fenced, is
// followed by another, in a later epoch. It fails with what no waiting will mend.
func (b *Bowl) Run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var fatal *Refusal
	go func() {
		select {
		case err := <-b.fatal:
			end(err)
		case <-ctx.Done():
		}
	}()
	pause := firstPause
	for {
		begun, err := b.round(ctx)
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
		b.Log.Warn("the bus is not joined, trying again", "why", err, "pause", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// round is from when the bus is there until it is lost: one session after the other.
func (b *Bowl) round(ctx context.Context) (begun bool, err error) {
	g, err := b.newGuard(ctx)
	if err != nil {
		return false, err
	}
	defer g.ksock.Close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() { end(g.watch(ctx)) }()
	if g.atlas, err = b.openAtlas(ctx, end); err != nil {
		return false, err
	}
	for pause, most := firstPause, lastPause; ; pause = min(2*pause, most) {
		start := now()
		sat, err := g.sit(ctx)
		begun = begun || sat
		switch {
		case errors.Is(err, errFenced) && now().Sub(start) < steady:
			pause, most = max(pause, calmPause), calmest
		case sat:
			pause, most = firstPause, lastPause
		}
		var fatal *Refusal
		switch {
		case ctx.Err() != nil:
			return begun, context.Cause(ctx)
		case errors.As(err, &fatal):
			return begun, err
		}
		b.Log.Warn("the session has ended, another follows", "why", err)
		select {
		case <-ctx.Done():
			return begun, context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)): // others may have lost theirs at the same moment
		}
	}
}

// Refusal is a reason that no waiting will mend.
type Refusal = office.Refusal

var refuse = office.Refuse
