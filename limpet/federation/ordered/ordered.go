// Package ordered gives buses on several machines one order: whatever is announced in any of them comes to the
// Listeners of all of them in the same order, that of one replicated stream.
//
// A bus delivers what is sent to it at once, so who listens on the bus where a message is sent would hear it before its
// place is known. Hence a bowl has two buses. Programs send to the *inlet*; they listen on the *outlet*, to which
// nobody sends but this Limpet, and it does so strictly by the numbers of the stream, its own messages included.
//
//	inlet.go   from the inlet to the stream, one batch at a time
//	outlet.go  from the stream to the outlet
//	resume.go  where the outlet begins
//	say.go     what it is told
//	lost.go    and what it will never hear
//	place.go   how far the outlet has been served, for who comes after us
//	carry.go   what the buses must allow
//	status.go  how it looks
//	batch.go   many messages in one entry of the stream
//
// Two bowls with one id would spoil each other's row of messages, so an ordered bowl has a lease (package office), as
// others have. It fences nothing: who has no quorum cannot order anything anyway, and waits.
package ordered

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/office"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// Config is what an ordered bowl must know.
type Config struct {
	ID         uint32
	Federation string
	Names      []string // bindings of what is ordered
	Replicas   int      // of the stream, if this bowl is the one that makes it
	Where      string   // which buses of which machine these are, to know them again
	Place      string   // file that tells how far the outlet has been served; empty: none
	Log        *slog.Logger
	Inlet      func(context.Context) (*kbus.Ksock, error) // opens a Ksock where programs send
	Outlet     func(context.Context) (*kbus.Ksock, error) // and where they listen
}

// The stream is a way and no record: it keeps minutes.
const (
	keep      = 10 * time.Minute
	keepBytes = 1 << 30
)

// Bowl is a pair of buses in an ordered federation.
type Bowl struct {
	Config
	nc     *nats.Conn
	space  subject.Space
	ready  func()
	fatal  chan error // what NATS will never allow
	office *office.Office
	begun  time.Time

	ordered     atomic.Uint64 // messages of this bowl that the stream has acknowledged
	delivered   atomic.Uint64 // messages given to the outlet
	copies      atomic.Uint64 // of them that it knew
	undelivered atomic.Uint64 // that it would not take
	refused     atomic.Uint64 // that were not what they should be
	lost        atomic.Uint64 // entries that were gone
	served      atomic.Uint64 // the last entry that the outlet has got

	mu    sync.Mutex // guards what follows
	log   *store.Store
	heard map[uint32]point // how far each bowl has been heard
}

// New makes one on a connection to NATS, which must not buffer while it is cut. Ready is called when it has begun.
func New(nc *nats.Conn, c Config, ready func()) (*Bowl, error) {
	space, err := subject.New(c.Federation)
	if err == nil && c.ID == 0 {
		err = errors.New("the id of a bowl is a number from 1 to 4294967295, its own in the whole federation: --id N")
	}
	if err != nil {
		return nil, err
	}
	b := &Bowl{
		Config: c, nc: nc, space: space, ready: ready, fatal: make(chan error, 1), begun: time.Now(),
		heard: map[uint32]point{},
		office: office.New(office.Config{
			Key: subject.Inlet(c.ID), Federation: c.Federation, Bowl: c.ID, Where: c.Where,
		}),
	}
	nc.SetErrorHandler(office.Complaints(c.Log, c.ID, c.Federation, b.fatal))
	return b, nil
}

// StreamName is what the stream of an ordered federation is called.
func StreamName(federation string) string { return "kb_" + federation + "_order" }

// Open opens the stream of an ordered federation, and makes it first if need be.
func Open(ctx context.Context, nc *nats.Conn, federation string, replicas int) (*store.Store, error) {
	space, err := subject.New(federation)
	if err != nil {
		return nil, err
	}
	return store.OpenLog(ctx, nc, StreamName(federation), space.Order(), space.Changes("order"), replicas, keep,
		keepBytes)
}

const retryEvery = 250 * time.Millisecond

// Run goes on until ctx ends, or one of the buses is lost, or another bowl has the id. Whoever starts it anew goes on
// where the outlet was left, if that still lives.
func (b *Bowl) Run(parent context.Context) (err error) {
	in, err := b.openInlet(parent)
	if err != nil {
		return err
	}
	defer in.k.Close()
	out, err := b.openOutlet(parent)
	if err != nil {
		return err
	}
	defer out.close()

	ctx, end := context.WithCancelCause(parent)
	var work sync.WaitGroup
	defer work.Wait()
	defer end(nil)
	flow := func(run func() error) {
		work.Go(func() {
			if err := run(); err != nil {
				end(err)
			}
		})
	}
	flow(func() error { return b.refusal(ctx) })
	flow(func() error { return b.tell(ctx, in, b.Inlet) })
	flow(func() error { return b.tell(ctx, in, b.Outlet) })
	log, err := b.open(ctx)
	if err != nil {
		return err
	}
	if err := b.insist(ctx, "there is no lease yet", b.office.Take); err != nil {
		return err
	}
	flow(func() error { return b.office.Keep(ctx) })
	flow(func() error {
		return out.deliver(ctx, log, func() {
			flow(func() error { return in.take(ctx, log) })
			b.ready()
		})
	})
	<-ctx.Done()
	if parent.Err() != nil {
		work.Wait()
		b.leave()
	}
	return context.Cause(ctx)
}

// refusal waits for what NATS will never allow.
func (b *Bowl) refusal(ctx context.Context) error {
	select {
	case err := <-b.fatal:
		return err
	case <-ctx.Done():
		return nil
	}
}

// open waits until leases and stream can be opened.
func (b *Bowl) open(ctx context.Context) (log *store.Store, err error) {
	err = b.insist(ctx, "the stream cannot be opened yet", func(ctx context.Context) (err error) {
		if b.office.Leases, err = office.Open(ctx, b.nc, b.Federation, b.Replicas); err != nil {
			return err
		}
		log, err = Open(ctx, b.nc, b.Federation, b.Replicas)
		return err
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = log
	return log, err
}

// leave tells that the bowl has ended in order, so that its id is free at once.
func (b *Bowl) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), store.Patience)
	defer cancel()
	if err := b.office.HandBack(ctx); err != nil {
		b.Log.Warn("could not hand the lease back: another bowl with this id will have to wait", "why", err)
	}
}

func (b *Bowl) insist(ctx context.Context, complaint string, try func(context.Context) error) error {
	return office.Insist(ctx, b.Log, complaint, try)
}

// key is a bowl's own subject in the stream.
func key(bowl uint32) string { return strconv.FormatUint(uint64(bowl), 10) }
