package driver

import (
	"context"
	"time"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/message"
)

// Waiting for an answer. See Conn for who receives.

// Await waits until q is answered or ctx ends, or there is a reason not to wait.
func (c *Conn) Await(ctx context.Context, q *client.Question) {
	for open(ctx, q) {
		if c.leading {
			c.follow(ctx, q.Tag.(*waiter))
		} else {
			c.lead(ctx, q)
		}
	}
	if !c.leading && len(c.followers) > 0 { // another of those who wait leads
		c.followers[0].signal()
	}
}

// open reports whether there is still something to wait for.
func open(ctx context.Context, q *client.Question) bool {
	return !q.Answered && !q.Pointless && ctx.Err() == nil
}

// follow waits to be told by the leader.
func (c *Conn) follow(ctx context.Context, w *waiter) {
	w.at = len(c.followers)
	c.followers = append(c.followers, w)
	c.mu.Unlock()
	select {
	case <-w.wake:
	case <-ctx.Done():
	}
	c.mu.Lock()
	last := len(c.followers) - 1
	c.followers[w.at] = c.followers[last]
	c.followers[w.at].at = w.at
	c.followers[last] = nil
	c.followers = c.followers[:last]
}

// lead receives until q is answered, for everybody.
func (c *Conn) lead(ctx context.Context, q *client.Question) {
	c.leading, c.leads = true, q
	c.watching.begin(ctx)
	for open(ctx, q) {
		p, room := c.core.Space(), c.core.Unsent()
		c.mu.Unlock()
		n, err := c.link.Recv(p, room)
		c.mu.Lock()
		if c.core.Ended() != message.OK {
			break
		}
		if err == nil {
			err = c.core.Received(n)
		}
		if err == nil {
			err = c.core.ServeReaders()
		}
		if err != nil {
			c.lose(err)
			break
		}
		c.conclude(q)
		if room {
			c.send()
		}
	}
	c.watching.keep(ctx)
	c.leading, c.leads = false, nil
	c.left.Broadcast()
}

// Patience is how long a bus that has been told that we have given up may take to say what it had done by then.
const Patience = 100 * time.Millisecond

// GiveUp is for a question that its goroutine does not want to wait for any longer. The bus is asked to cancel it. A bus that
// does not answer to that is in a bad way, and then the question is abandoned.
func (c *Conn) GiveUp(ctx context.Context, q *client.Question) {
	c.core.Cancel(q)
	c.Flush()
	last, done := context.WithTimeout(context.WithoutCancel(ctx), Patience)
	c.Await(last, q)
	done()
	c.core.Abandon(q)
}

// Lastly is ctx if there is still time, and else as long as a bus may take that is all right.
func Lastly(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), Patience)
}

// Canceled is what an operation ends in when its context ends first. It is ErrCanceled, what the context says, which is
// context.Canceled or context.DeadlineExceeded, and the cause that the context was given.
type Canceled struct{ Err, Cause error }

// CanceledBy makes it.
func CanceledBy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &Canceled{err, context.Cause(ctx)}
	}
	return &Canceled{context.Canceled, context.Canceled} // not by ctx, but by something else that happened
}

// Error is that of the cause.
func (c *Canceled) Error() string { return c.Cause.Error() }

// Unwrap gives all three.
func (c *Canceled) Unwrap() []error { return []error{message.ErrCanceled, c.Err, c.Cause} }
