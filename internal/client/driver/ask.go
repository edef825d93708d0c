package driver

import (
	"context"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Asking: a question goes into the Core, and the link takes what it can. The lock is held throughout.

// waiter is what a Question has for the goroutine that waits for it, as its Tag.
type waiter struct {
	wake chan struct{} // holds one token: the answer is there, or it is time to lead
	at   int           // among the followers
}

// Question gives a fresh one. Release takes it back.
func (c *Conn) Question(op wire.Op) *client.Question { return c.tagged(c.core.Question(op)) }

func (c *Conn) tagged(q *client.Question) *client.Question {
	if q.Tag == nil {
		q.Tag = &waiter{wake: make(chan struct{}, 1)}
		return q
	}
	select {
	case <-q.Tag.(*waiter).wake: // a token of the last use that nobody waited for
	default:
	}
	return q
}

// Release takes a Question back from the goroutine that asked it.
func (c *Conn) Release(q *client.Question) { c.core.Release(q) }

// Ask asks and waits for the answer. The error is that of the answer, too.
func (c *Conn) Ask(ctx context.Context, q *client.Question) error {
	if ctx.Err() != nil {
		return q.Failure(CanceledBy(ctx))
	}
	if err := c.Start(q); err != nil {
		return err
	}
	c.Flush()
	return c.Finish(ctx, q)
}

// Start puts a question into the Core. Several may be started before Flush, to travel together.
func (c *Conn) Start(q *client.Question) error {
	if condition := c.core.Start(q); condition != message.OK {
		return q.Failure(condition)
	}
	c.sendBody()
	return nil
}

// Finish waits for the answer to a question that has been sent.
func (c *Conn) Finish(ctx context.Context, q *client.Question) error {
	c.Await(ctx, q)
	if !q.Answered {
		c.GiveUp(ctx, q)
	}
	if !q.Answered || q.Canceled() {
		return q.Failure(CanceledBy(ctx))
	}
	return q.Fail()
}

// Flush sends what can be sent now. If the other end does not take it all, the leader sends the rest when it can.
func (c *Conn) Flush() {
	if c.send(); c.leading && c.core.Unsent() {
		c.link.Poke()
	}
}

// send lets the link have what it takes.
func (c *Conn) send() {
	frames, body := c.core.Out()
	var n int
	var err error
	switch {
	case body != nil:
		n, err = c.two.SendBody(frames, body)
	case len(frames) > 0:
		n, err = c.link.Send(frames)
	default:
		return
	}
	if err != nil {
		c.core.Deaf()
		return
	}
	c.core.SentBytes(n)
}

// sendBody sends what the Core has not copied, before anything else happens.
func (c *Conn) sendBody() {
	if _, body := c.core.Out(); body != nil {
		c.send()
	}
}

// conclude does what is owed after the Core was given something: it sends what hurries and wakes those whose questions are
// completed. own is the question of the goroutine that calls, which needs not to be woken.
func (c *Conn) conclude(own *client.Question) {
	if c.core.Hurry() {
		c.Flush()
	}
	c.wake(own)
}

func (c *Conn) wake(own *client.Question) {
	for _, q := range c.core.Completed() {
		switch q {
		case own:
		case c.leads: // it sleeps in the link
			c.watching.poke()
		default:
			q.Tag.(*waiter).signal()
		}
	}
}

// signal wakes the goroutine that waits.
func (w *waiter) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
