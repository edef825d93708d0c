// Package ordered gives buses on several machines one order: whatever is announced in any of them comes to the
// Listeners of all of them in the same order, that of one replicated stream.
//
// A bus delivers what is sent to it at once, so who listens on the bus where a message is sent would hear it before its
// place is known. Hence a bowl has two buses. Programs send to the *inlet*; they listen on the *outlet*, to which
// nobody sends but this Limpet, and it does so strictly by the numbers of the stream, its own messages included.
//
//	inlet.go   from the inlet to the stream, one batch at a time
//	outlet.go  from the stream to the outlet
//	batch.go   many messages in one entry of the stream
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
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// Config is what an ordered bowl must know.
type Config struct {
	ID         uint32
	Federation string
	Names      []string // bindings of what is ordered
	Replicas   int      // of the stream, if this bowl is the one that makes it
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
	nc    *nats.Conn
	space subject.Space
	ready func()
	log   *store.Store
	epoch uint64

	ordered   atomic.Uint64 // messages of this bowl that the stream has acknowledged
	delivered atomic.Uint64 // messages given to the outlet
}

// New makes one on a connection to NATS. Ready is called when it has begun.
func New(nc *nats.Conn, c Config, ready func()) (*Bowl, error) {
	space, err := subject.New(c.Federation)
	if err == nil && c.ID == 0 {
		err = errors.New("the id of a bowl is a number from 1 to 4294967295, its own in the whole federation: --id N")
	}
	return &Bowl{Config: c, nc: nc, space: space, ready: ready, epoch: uint64(time.Now().UnixMilli())}, err
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

// Run goes on until ctx ends, or one of the buses is lost: then nobody can say what its Listeners have heard, and to go
// on would leave a hole in their order. Whoever starts it anew begins with what is ordered from then on.
func (b *Bowl) Run(ctx context.Context) error {
	in, err := b.Inlet(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := b.Outlet(ctx)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := b.open(ctx); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer end(nil)
	begun := make(chan struct{})
	work.Go(func() { end(b.deliver(ctx, out, func() { close(begun) })) })
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-begun:
	}
	work.Go(func() { end(b.take(ctx, in)) })
	<-ctx.Done()
	return context.Cause(ctx)
}

// open waits until the stream can be opened.
func (b *Bowl) open(ctx context.Context) (err error) {
	for said := false; ; said = true {
		if b.log, err = Open(ctx, b.nc, b.Federation, b.Replicas); err == nil {
			return nil
		}
		if !said {
			b.Log.Warn("the stream cannot be opened yet, trying on", "why", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// key is the bowl's own subject in the stream.
func (b *Bowl) key() string { return strconv.FormatUint(uint64(b.ID), 10) }
