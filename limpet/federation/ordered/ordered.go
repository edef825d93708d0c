// Package ordered gives buses on several machines one order: whatever is announced in any of them comes to the
// Listeners of all of them in the same order, that of one replicated stream.
//
// A bus delivers what is sent to it at once, so a Listener on the bus where a message is sent would get it before its
// place in the order is known. Hence a member has two buses. Programs send to the *inlet*; they listen on the *outlet*,
// to which only this Limpet sends, and it does so strictly by the numbers of the stream, its own messages included. The
// stream is read by package store, which says why not by a consumer.
//
//	inlet.go           from the inlet to the stream, one batch at a time
//	outlet.go          from the stream to the outlet
//	resume.go          where the outlet begins
//	deliver.go         one message for it
//	loss.go            what it will never get
//	checkpointfile.go  how far it has been served, for the next process
//	carry.go           what the buses must allow
//	way.go             how long a message may be
//	status.go          how it looks
//	batch.go           many messages in one entry of the stream
//
// Two members with one id would spoil each other's row of messages, so an ordered member has a lease (package
// leasekeeper), as others have. It fences nothing: a member without a quorum cannot order anything anyway, and waits.
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

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// Config is what an ordered member must know.
type Config struct {
	ID         uint32
	Federation string
	Names      []string // bindings of what is ordered
	Replicas   int      // of the stream, if this member is the one that makes it
	Domain     string   // of JetStream, if not that of the server itself
	Where      string   // which buses of which machine these are, to know them again
	MaxPayload int      // bytes that all servers on the way to the stream carry, 0 if that is not known
	Checkpoint string   // file with how far the outlet has been served; empty: none
	Log        *slog.Logger
	Inlet      func(context.Context) (*kbus.Ksock, error) // opens a Ksock where programs send
	Outlet     func(context.Context) (*kbus.Ksock, error) // and where they listen
}

// The stream is a way and no record: it keeps minutes.
const (
	keep      = 10 * time.Minute
	keepBytes = 1 << 30
)

// Member is a pair of buses in an ordered federation.
type Member struct {
	Config
	nc     *nats.Conn
	space  subject.Space
	ready  func()
	fatal  chan error // what NATS will never allow
	keeper *leasekeeper.Keeper
	begun  time.Time
	most   int // bytes of an entry of the stream

	figures figures

	mu        sync.Mutex // guards what follows
	stream    *store.Stream
	positions map[uint32]point // how far each member has been delivered
}

// figures count what has passed.
type figures struct {
	ordered     atomic.Uint64 // messages of this member that the stream has acknowledged
	delivered   atomic.Uint64 // messages given to the outlet
	copies      atomic.Uint64 // of them that it knew
	undelivered atomic.Uint64 // that it would not take
	refused     atomic.Uint64 // that were not what they should be
	lost        atomic.Uint64 // entries that were gone
	served      atomic.Uint64 // the last entry that the outlet has got
}

// New makes one on a connection to NATS, which must not buffer while it is cut. Ready is called when it has begun.
func New(nc *nats.Conn, c Config, ready func()) (*Member, error) {
	space, err := subject.New(c.Federation)
	if err == nil && c.ID == 0 {
		err = errors.New("the id of a bowl is a number from 1 to 4294967295, its own in the whole federation: --id N")
	}
	if err != nil {
		return nil, err
	}
	b := &Member{
		Config: c, nc: nc, space: space, ready: ready, fatal: make(chan error, 1), begun: time.Now(),
		positions: map[uint32]point{},
		keeper: leasekeeper.New(leasekeeper.Config{
			Key: subject.Inlet(c.ID), Federation: c.Federation, Member: c.ID, Where: c.Where,
		}),
	}
	retry.Attend(nc, c.Log, c.ID, c.Federation, b.fatal)
	return b, nil
}

// StreamName is what the stream of an ordered federation is called.
func StreamName(federation string) string { return "kb_" + federation + "_order" }

// Open opens the stream of an ordered federation, and makes it first if need be.
func Open(ctx context.Context, nc store.NATS, federation string, replicas int) (*store.Stream, error) {
	space, err := subject.New(federation)
	if err != nil {
		return nil, err
	}
	return store.OpenStream(ctx, nc, StreamName(federation), space.Order(), space.Changes("order"), replicas, keep,
		keepBytes)
}

const retryEvery = 250 * time.Millisecond

// Run goes on until ctx ends, or one of the buses is lost, or another member has the id. Started anew it goes
// on where the outlet was left, if that still lives.
func (b *Member) Run(parent context.Context) (err error) {
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
	flow(func() error { return b.serveStatus(ctx, in, b.Inlet) })
	flow(func() error { return b.serveStatus(ctx, in, b.Outlet) })
	stream, err := b.open(ctx)
	if err == nil {
		err = in.fit(ctx)
	}
	if err != nil {
		return err
	}
	if err := b.insist(ctx, "there is no lease yet", b.keeper.Take); err != nil {
		return err
	}
	flow(func() error { return b.keeper.Keep(ctx) })
	flow(func() error {
		return out.run(ctx, stream, func() {
			flow(func() error { return in.run(ctx, stream) })
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
func (b *Member) refusal(ctx context.Context) error {
	select {
	case err := <-b.fatal:
		return err
	case <-ctx.Done():
		return nil
	}
}

// open waits until leases and stream can be opened.
func (b *Member) open(ctx context.Context) (stream *store.Stream, err error) {
	err = b.insist(ctx, "the stream cannot be opened yet", func(ctx context.Context) (err error) {
		nc := store.NATS{Conn: b.nc, Domain: b.Domain}
		if b.keeper.Leases, err = leasekeeper.Open(ctx, nc, b.Federation, b.Replicas); err != nil {
			return err
		}
		if stream, err = Open(ctx, nc, b.Federation, b.Replicas); err != nil {
			return err
		}
		return b.findWay(ctx, stream)
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stream = stream
	return stream, err
}

// leave hands the lease back when the member has ended in order, so that its id is free at once.
func (b *Member) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), store.Patience)
	defer cancel()
	if err := b.keeper.HandBack(ctx); err != nil {
		b.Log.Warn("could not hand the lease back: another bowl with this id will have to wait", "why", err)
	}
}

func (b *Member) insist(ctx context.Context, complaint string, try func(context.Context) error) error {
	return retry.Until(ctx, b.Log, complaint, try)
}

// key is a member's own subject in the stream.
func key(member uint32) string { return strconv.FormatUint(uint64(member), 10) }
