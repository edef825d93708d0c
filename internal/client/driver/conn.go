// Package driver is a Core with what it must not have itself: a lock, a link to the bus, and goroutines that wait. It
// decides who receives and who is woken, and nothing about messages.
//
// It is a package of its own, and not a file of package client, because the import test looks at packages: client may not
// import sync, context or time, and driver must.
package driver

import (
	"context"
	"io"
	"runtime"
	"sync"
	"time"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/transport"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A Conn is one connection to a bus, shared by all goroutines that use the Ksock. Each puts its question into the Core and
// waits for the answer; answers carry the number of their question, so any number may be on their way at once.
//
// Nobody waits in the background for what may come. The goroutine that waits for an answer receives, if no other does: it
// leads. It hands the answers of others to them as they come, and when its own has come it goes home with it and
// another of those who wait leads on. In the usual case, one goroutine at a time, a request is thus one send and one
// receive by the goroutine that asked, with no other to be woken, which on a small machine is most of the time that a
// round trip takes. And there is nothing to stop when the Ksock is closed.
//
// The lock guards everything but what only the leader touches. It is not held while receiving. Methods with a Question are
// called under it, unless they say otherwise.
type Conn struct {
	link transport.Link
	two  transport.BodySender // link, if it can take a frame in two parts

	owner   any             // the Ksock or Observer, which lives as long as somebody uses us
	cleanup runtime.Cleanup // for when it does not

	mu      sync.Mutex
	core    *client.Core
	closing sync.Once

	leading   bool
	leads     *client.Question // that of the leader
	left      sync.Cond        // the leader has stopped leading
	followers []*waiter        // the others that wait
	watching  watching
}

// Options are what a program may choose.
type Options struct {
	client.Options
	Mode     uint32 // of a Ksock, or 0 for an observer
	Original bool   // a Ksock like those of the original KBUS
}

// New makes a connection of a link and introduces us.
func New(ctx context.Context, l transport.Link, o Options) (*Conn, error) {
	c := &Conn{core: client.New(o.Options)}
	c.left.L = &c.mu
	c.use(l)
	if err := c.hello(ctx, o); err != nil {
		c.End(0)
		return nil, err
	}
	return c, nil
}

func (c *Conn) use(l transport.Link) {
	c.link, c.watching.poke = l, l.Poke
	c.two, _ = l.(transport.BodySender)
	c.core.SendsInTwo(c.two != nil)
}

func (c *Conn) hello(ctx context.Context, o Options) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := uint32(wire.FeaturesFollowing)
	if o.Original {
		kind = wire.FeatureOriginal
	}
	kind |= wire.FeatureRuns
	wanted := uint32(0)
	if o.Mode != 0 { // an observer asks too little to need any
		wanted = transport.WantedFeatures(c.link)
	}
	q := c.tagged(c.core.Hello(o.Mode, wanted|kind))
	defer c.Release(q)
	if err := c.Ask(ctx, q); err != nil {
		return err
	}
	granted, err := c.core.Welcome(q)
	if err != nil {
		return q.Failure(err)
	}
	if granted &^= kind; granted == 0 {
		return nil
	}
	better, err := transport.Upgrade(c.link, granted)
	if err != nil {
		return q.Failure(err)
	}
	c.use(better)
	if w, ok := better.(client.Window); ok && o.Mode&wire.ModeRead != 0 {
		c.core.Look(w)
	}
	return nil
}

// Lock is held while a Question is used.
func (c *Conn) Lock() { c.mu.Lock() }

// Unlock ends that.
func (c *Conn) Unlock() { c.mu.Unlock() }

// ID is that of the Ksock. It needs no lock, nor does Bus.
func (c *Conn) ID() message.KsockID { return c.core.ID }

// Bus is the number of the bus.
func (c *Conn) Bus() uint32 { return c.core.Bus }

// Ended is ErrClosed or ErrBusGone; OK while the connection lasts. It takes the lock.
func (c *Conn) Ended() message.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Ended()
}

// Kept counts the messages that have come and that nobody has received. It takes the lock.
func (c *Conn) Kept() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Kept()
}

// Waiters counts the goroutines that wait for something. It takes the lock; tests ask.
func (c *Conn) Waiters() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.followers)
	if c.leading {
		n++
	}
	return n
}

// Inherit takes over the messages that an earlier connection has left unread. Nobody else uses c yet; it takes the lock of
// the other.
func (c *Conn) Inherit(earlier *Conn) {
	earlier.mu.Lock()
	defer earlier.mu.Unlock()
	c.core.Inherit(earlier.core)
}

// MarkAnswered is for a message that was read by bytes.
func (c *Conn) MarkAnswered(h *message.Header) { c.core.MarkAnswered(h) }

// lose is for the leader: the other end is gone, or makes no sense any more.
func (c *Conn) lose(why error) {
	reason := why.Error()
	if why == io.EOF {
		reason = ""
	}
	c.core.Lost(reason)
	c.wake(c.leads)
	c.watching.none()
	c.cleanup.Stop()
	c.link.Drop()
}

// How long End waits for a bus that does not take note: Farewell is as long as it can be expected to take, and ForGood however
// long that is.
const (
	Farewell = time.Second
	ForGood  = 1000 * time.Hour
)

// End closes the connection, and waits until the bus has taken note, at most patience; 0: it does not tell the bus first. Nothing of
// it is left afterwards, and every goroutine that waits gets ErrClosed. It takes the lock.
func (c *Conn) End(patience time.Duration) {
	c.closing.Do(func() {
		c.mu.Lock()
		before := c.core.Close()
		c.wake(nil)
		c.watching.none()
		if before == message.OK {
			c.link.Poke()
		}
		for c.leading {
			c.left.Wait()
		}
		c.mu.Unlock()
		c.cleanup.Stop()
		switch {
		case before != message.OK:
		case patience > 0:
			c.link.HangUp(patience)
		default:
			c.link.Drop()
		}
	})
}
