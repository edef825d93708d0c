package kbus

import (
	"context"
	"sync"

	"kbus/internal/wire"
	"kbus/message"
)

// A conn is one connection to a bus, shared by all goroutines that use the Ksock. Each puts its request into toSend and
// waits for the answer; answers carry the number of their request, so any number may be on their way at once.
//
// Nobody waits in the background for what may come. Whoever waits for an answer receives, if nobody else does: it
// leads. It hands the answers of others to them as they come, and when its own has come it goes home with it and
// another of those who wait leads on. In the usual case, one goroutine at a time, a request is thus one send and one
// receive by the goroutine that asked, with no other to be woken, which on a small machine is most of the time that a
// round trip takes. And there is nothing to stop when the Ksock is closed.
//
// mu guards everything but what only the leader touches. It is not held while receiving.
type conn struct {
	link link
	poke func() // link.poke, kept so that watching a context need not make it each time

	// What the bus said when we came. It does not change.
	id                 uint32
	bus                uint32
	absMaxMessageBytes uint32
	readAhead          uint32 // messages that one request may bring

	mu        sync.Mutex
	seq       uint32
	waiting   map[uint32]*question // asked and not answered
	spare     []*question
	toSend    []byte // frames that the link has not taken yet
	nameBytes []byte // of the message being put into toSend
	deaf      bool   // the other end takes no more; what it has sent can still be received
	stopping  bool   // the bus has said that it is ending

	ended   message.Condition // ErrClosed or ErrBusGone; OK while it lasts
	closing sync.Once
	leading bool
	left    sync.Cond // the leader has stopped leading

	watched <-chan struct{} // of the context for which poke is called when it ends
	unwatch func() bool
	lately  <-chan struct{} // of the context of the last leader

	in    arrivals // only the leader's
	names names
	inbox inbox

	front    front // nil if the link has none
	claimers []*question
	leads    *question // that of the leader
	header   Header    // of the message that is being claimed
	piped    piped
	places   []*inPlace // spare
	looking  []*inPlace // waiting for a message to look at
	lent     int        // messages that are looked at in place
	asked    asked
	unsent   ID // of a Request that waits for room, as far as we know
}

// firstSeq is the number of the first question, the Hello.
const firstSeq = 1

// newConn makes a connection of a link and introduces us. mode is that of a Ksock, or 0 for an observer.
func newConn(ctx context.Context, l link, mode Mode, readAhead uint32) (*conn, error) {
	c := &conn{link: l, poke: l.poke, readAhead: readAhead, waiting: map[uint32]*question{}}
	c.left.L = &c.mu
	if err := c.hello(ctx, mode); err != nil {
		c.end(false)
		return nil, err
	}
	return c, nil
}

func (c *conn) hello(ctx context.Context, mode Mode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpHello)
	defer c.release(q)
	q.arg = uint32(mode)
	q.bytes = wire.AppendHello(nil, wire.Hello{Lowest: wire.Version, Highest: wire.Version, Features: wantedFeatures(c.link, mode)})
	if err := c.ask(ctx, q); err != nil {
		return err
	}
	w, ok := wire.ParseWelcome(q.payload)
	if !ok || w.Version != wire.Version {
		return q.failure(unexpected("to hello"))
	}
	if w.Features != 0 {
		better, err := upgrade(c.link, w.Features)
		if err != nil {
			return q.failure(err)
		}
		c.link = better
		if mode&ReadMode != 0 {
			c.front, _ = better.(front)
		}
	}
	c.id, c.bus, c.absMaxMessageBytes = q.number, w.Bus, w.AbsMaxMessageBytes
	return nil
}

// isClosed reports whether Close has been called.
func (c *conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended == message.ErrClosed
}

// isGone reports whether the bus is known to be lost.
func (c *conn) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended == message.ErrBusGone
}
