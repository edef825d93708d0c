package kbus

import (
	"context"

	"kbus/internal/wire"
	"kbus/message"
)

// Handler deals with one message. What it returns is sent before the next message is received; usually that is the
// Reply, or nil for a message that wants none. For a Request that it will reply to later, a handler returns nil, keeps
// the message, and sends the Reply itself. An error ends Serve.
type Handler func(ctx context.Context, m *Message) (*Message, error)

// Serve receives messages and has each handled, one after the other, in the order of the bus. The handler may do
// anything with the Ksock, such as Call on it: the Reply to that is picked out of the queue, and all other messages
// wait for their turn. (Two programs that call each other from their handlers at the same moment do wait for each
// other, until a ctx ends.)
//
// It returns when the handler fails, with that error; when ctx ends, with its error; or with ErrClosed or ErrBusGone.
// If a Reply cannot be sent because who asked has gone, or has been told that no Reply will come, it goes on; any
// other error of sending ends it.
func (k *Ksock) Serve(ctx context.Context, handle Handler) error {
	m, err := k.Receive(ctx)
	for err == nil {
		var reply *Message
		if reply, err = handle(ctx, m); err != nil {
			return err
		}
		if reply == nil {
			m, err = k.Receive(ctx)
		} else {
			m, err = k.sendAndReceive(ctx, reply)
		}
	}
	return err
}

// sendAndReceive sends a message and waits for the next one. Both requests travel together, and so, mostly, do their
// answers: a Request then costs its Replier one send and one receive.
func (k *Ksock) sendAndReceive(ctx context.Context, m *Message) (*Message, error) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	send := c.question(wire.OpSendMessage)
	defer c.release(send)
	send.message = m

	if ctx.Err() != nil || len(c.inbox.list) > 0 { // nothing to wait for, but the message is to be sent all the same
		last, done := ctx, context.CancelFunc(func() {})
		if ctx.Err() != nil {
			last, done = context.WithTimeout(context.WithoutCancel(ctx), patience)
		}
		err := c.ask(last, send)
		done()
		if err = c.settled(ctx, send, err); err != nil {
			return nil, err
		}
		return c.take(ctx, wire.OpNextWait, nil)
	}

	if c.front != nil {
		return c.sendAndClaim(ctx, send)
	}
	next := c.question(wire.OpNextWait)
	defer c.release(next)
	send.flags, send.next, next.arg = wire.Lazy, next, c.readAhead
	if err := c.start(send); err != nil {
		return nil, err
	}
	if err := c.start(next); err != nil {
		return nil, err
	}
	c.flush()
	got, err := c.taken(next, nil, c.finish(ctx, next))
	if !send.answered {
		send.orphan, send.next = true, nil
		return got, err
	}
	if failed := c.settled(ctx, send, send.fail()); failed != nil {
		if got != nil {
			c.inbox.putBack(got)
		}
		return nil, failed
	}
	return got, err
}

// bearable reports whether Serve goes on if a message that it sends ends in c.
func bearable(c message.Condition) bool {
	switch c {
	case message.OK, message.ErrPending:
		return true
	case message.ErrAddresseeGone, message.ErrNotExpected: // nobody waits for that Reply any more
		return true
	case message.ErrBusGone: // receiving tells of that, after the last messages
		return true
	}
	return false
}

// settled deals with what became of a message that Serve sent, and gives the error that ends Serve.
func (c *conn) settled(ctx context.Context, send *question, err error) error {
	switch {
	case err == nil:
		return nil
	case send.condition == message.ErrPending: // the handler wanted all Listeners to have room
		wait := c.question(wire.OpWaitSent)
		defer c.release(wait)
		return c.ask(ctx, wait)
	case send.condition != message.OK && bearable(send.condition):
		return nil
	}
	return err
}
