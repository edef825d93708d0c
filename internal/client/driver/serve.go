package driver

import (
	"context"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Answering: a program that serves sends a Reply and waits for the next message, again and again. Both questions travel
// together, and so, mostly, do their answers: a Request then costs its Replier one send and one receive.

// SendAndTake sends a message and waits for the next one. The error is that of receiving, or of sending if it is not Bearable.
func (c *Conn) SendAndTake(ctx context.Context, m *message.Message) (*message.Message, error) {
	send := c.Question(wire.OpSendMessage)
	defer c.Release(send)
	send.Message = m

	if ctx.Err() != nil || c.core.Waiting() { // nothing to wait for, but the message is to be sent all the same
		if err := sendLastly(ctx, c, send); err != nil {
			return nil, err
		}
		return c.Take(ctx, wire.OpNextWait, nil)
	}
	if c.core.HasWindow() {
		return c.sendAndWatch(ctx, send)
	}
	next := c.reader(wire.OpNextWait, nil)
	defer c.Release(next)
	send.Flags = wire.Lazy
	c.core.After(send, next)
	if err := c.Start(send); err != nil {
		return nil, err
	}
	if err := c.Start(next); err != nil {
		return nil, err
	}
	c.Flush()
	got, err := c.taken(next, nil, c.Finish(ctx, next))
	return c.both(ctx, send, got, err)
}

// SendAnswer sends a message, also when ctx has ended. The error is that of sending if it is not Bearable.
func (c *Conn) SendAnswer(ctx context.Context, m *message.Message) error {
	send := c.Question(wire.OpSendMessage)
	defer c.Release(send)
	send.Message = m
	return sendLastly(ctx, c, send)
}

func sendLastly(ctx context.Context, c *Conn, send *client.Question) error {
	last, done := Lastly(ctx)
	err := c.Ask(last, send)
	done()
	return sent(ctx, c, send, err)
}

// sendAndWatch is SendAndTake for a link with a window. When there is nothing to take yet the result of the send is lazy: we
// shall be woken by the next message, and find it then. Either way it is known before the message is given out.
func (c *Conn) sendAndWatch(ctx context.Context, send *client.Question) (*message.Message, error) {
	if c.core.Ended() != message.OK || send.Message.Flags.Has(message.AllOrWait) || !c.core.WindowEmpty() {
		if err := sent(ctx, c, send, c.Ask(ctx, send)); err != nil {
			return nil, err
		}
		return c.takeWindow(ctx, wire.OpNextWait, nil, nil)
	}
	send.Flags = wire.Lazy
	if err := c.Start(send); err != nil {
		return nil, err
	}
	c.Flush()
	got, err := c.takeWindow(ctx, wire.OpNextWait, nil, send)
	if !send.Answered && c.core.Ended() == message.OK { // the message was there before the bus had seen the Reply
		c.reset(ctx)
	}
	return c.both(ctx, send, got, err)
}

// both gives what came of the two, and keeps a message that cannot be given.
func (c *Conn) both(ctx context.Context, send *client.Question, got *message.Message, err error) (*message.Message, error) {
	if !send.Answered {
		c.core.Abandon(send)
		return got, err
	}
	if failed := sent(ctx, c, send, send.Fail()); failed != nil {
		if got != nil {
			c.core.PutBack(got)
		}
		return nil, failed
	}
	return got, err
}

// sent deals with what became of the message, and gives the error that ends serving.
func sent(ctx context.Context, c *Conn, send *client.Question, err error) error {
	switch {
	case err == nil:
		return nil
	case send.Condition == message.ErrPending: // the handler wanted all Listeners to have room
		wait := c.Question(wire.OpWaitSent)
		defer c.Release(wait)
		return c.Ask(ctx, wait)
	case send.Condition != message.OK && client.Bearable(send.Condition):
		return nil
	}
	return err
}

// Discard drops the message that waits for room. Whether there was one decides if a Request is still to be answered, so a
// Poll travels before it.
func (c *Conn) Discard(ctx context.Context) error {
	poll, discard := c.Question(wire.OpPoll), c.Question(wire.OpDiscard)
	defer c.Release(poll)
	defer c.Release(discard)
	if ctx.Err() != nil {
		return discard.Failure(CanceledBy(ctx))
	}
	if err := c.Start(poll); err != nil {
		return err
	}
	err := c.Ask(ctx, discard)
	c.core.Abandon(poll)
	return err
}
