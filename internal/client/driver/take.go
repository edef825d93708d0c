package driver

import (
	"context"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Receiving. What is in the inbox comes first, then what the window shows, and then the bus is asked.

// Take takes one message by Next or NextWait; it is into, if that is given.
func (c *Conn) Take(ctx context.Context, op wire.Op, into *message.Message) (*message.Message, error) {
	if m := c.core.Pop(into); m != nil {
		return m, nil
	}
	if c.core.HasWindow() {
		return c.takeWindow(ctx, op, into, nil)
	}
	q := c.reader(op, into)
	defer c.Release(q)
	return c.taken(q, into, c.Ask(ctx, q))
}

// reader is a question for as many messages as the program reads ahead.
func (c *Conn) reader(op wire.Op, into *message.Message) *client.Question {
	q := c.Question(op)
	q.Arg, q.Into = c.core.ReadAhead(), into
	return q
}

// taken gives what a question for a message has brought. When the bus is lost, the inbox has what is still to be said.
func (c *Conn) taken(q *client.Question, into *message.Message, err error) (*message.Message, error) {
	if q.Condition == message.ErrBusGone {
		if m := c.core.Pop(into); m != nil {
			return m, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return q.Got, nil
}

// takeWindow is Take for a link with a window. after is a question whose failure makes waiting pointless, or nil.
func (c *Conn) takeWindow(ctx context.Context, op wire.Op, into *message.Message, after *client.Question) (*message.Message, error) {
	if ctx.Err() == nil && c.core.Ended() == message.OK {
		switch m, awaited, err := c.core.TakeNow(into); {
		case err != nil:
			return nil, (&client.Question{Operation: client.Operation{Op: op}}).Failure(err)
		case m != nil:
			c.confirm(ctx, awaited)
			return m, nil
		}
	}
	q := c.Question(op)
	defer c.Release(q)
	if ctx.Err() != nil {
		return nil, q.Failure(CanceledBy(ctx))
	}
	if ended := c.core.Ended(); ended != message.OK {
		return nil, q.Failure(ended)
	}
	q.Into, q.Arg = into, 1
	if op != wire.OpNextWait { // to find nothing, we ask: the bus may have news, or be gone
		return c.taken(q, into, c.Ask(ctx, q))
	}
	c.core.AwaitTake(q)
	if err := c.core.ServeReaders(); err != nil {
		c.core.Withdraw(q)
		return nil, q.Failure(err)
	}
	c.conclude(q)
	if after != nil {
		c.core.After(after, q)
	}
	c.Await(ctx, q)
	if !q.Answered && c.core.Withdraw(q) {
		return nil, q.Failure(CanceledBy(ctx))
	}
	c.confirm(ctx, q.Awaited)
	return c.taken(q, into, c.Finish(ctx, q))
}

// confirm waits until the bus has taken note of a message taken, if another Ksock waits for its room: when a message is
// handed out, the room that it has left is there for others, as it is when a message is asked for. A bus that stands still
// will take note when it goes on.
func (c *Conn) confirm(ctx context.Context, awaited bool) {
	if awaited && c.core.Ended() == message.OK {
		c.reset(ctx)
	}
}

// reset waits for whatever the bus has still to answer: answers come in order.
func (c *Conn) reset(ctx context.Context) {
	last, done := Lastly(ctx)
	defer done()
	reset := c.Question(wire.OpReset)
	_ = c.Ask(last, reset)
	c.Release(reset)
}

// NextReply waits for the answer to the Request that q.ID names.
func (c *Conn) NextReply(ctx context.Context, q *client.Question) (*message.Message, error) {
	if m := c.core.PopReply(q.ID); m != nil {
		return m, nil
	}
	q.Arg = 1
	err := c.Ask(ctx, q)
	if q.Condition == message.ErrBusGone {
		if m := c.core.PopReply(q.ID); m != nil {
			return m, nil
		}
	}
	return q.Got, err
}

// LookAt takes the next message and leaves it where it lies, if it can. LookedAt gives it back. Both take the lock.
func (c *Conn) LookAt(ctx context.Context) (*client.Borrowing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.core.Borrowing()
	_, err := c.Take(ctx, wire.OpNextWait, &p.Message)
	if c.core.Borrowed(p, err == nil); err != nil {
		return nil, err
	}
	return p, nil
}

// LookedAt gives back what LookAt gave.
func (c *Conn) LookedAt(p *client.Borrowing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.core.GiveBack(p)
}
