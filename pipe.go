package kbus

import (
	"context"
	"fmt"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
)

// Pipe sends messages without waiting for the result of each, for a program that has many to send: a Send of a Ksock
// costs a round trip to the bus, and a Send of a Pipe a fraction of that. Messages are collected, some 16 KiB or 64
// of them, before they travel; Flush sends what is left. They are sent in the order of the calls, and all of them are
// sent, whatever becomes of those before.
//
// Results are still read, all of them, but later. There are never more than 256 of them to come on one Ksock, so a
// Pipe is no faster in the long run than the bus.
//
// A Pipe shares the connection of its Ksock, which may be used meanwhile as ever, and may have several Pipes. It has
// nothing to be closed. One goroutine at a time may use it.
type Pipe struct {
	k    *Ksock
	c    *conn // on which the last message went; it guards pipe
	pipe client.Pipe
}

// Pipe makes a Pipe for the Ksock. It costs nothing until it is used.
func (k *Ksock) Pipe() *Pipe { return &Pipe{k: k} }

// Totals count what became of the messages of a Pipe whose result is known, since it was made.
type Totals struct {
	Accepted uint64 // messages that the bus has accepted
	Failed   uint64 // messages that it has not; for each there is a *PipeError
	Reached  uint64 // copies that were delivered, as Sent.Reached
	Skipped  uint64 // Listener bindings that were passed over, as Sent.Skipped
}

// PipeError says that a message sent through a Pipe was not accepted.
type PipeError struct {
	Index uint64 // of the message: 0 is the first one that went into this Pipe
	Name  string // of the message
	Err   error  // a Condition, as from Ksock.Send. After ErrBusGone and ErrClosed it is not known whether it was accepted
	Text  string // what the bus said more; may be empty
}

// Error is one line.
func (e *PipeError) Error() string {
	s := fmt.Sprintf("kbus: send %s, message %d of the Pipe: %v", e.Name, e.Index, e.Err)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Unwrap gives the Condition.
func (e *PipeError) Unwrap() error { return e.Err }

// Send puts a message on its way. m may be used again when it returns.
//
// A *PipeError is about an earlier message, the first one that has failed and has not been told yet; m is on its way
// all the same. After any other error m has not been sent: ErrClosed, ErrBusGone, or that of ctx.
//
// Send waits when 256 results are to come, or when the bus takes no more for the moment. It also waits while a message
// of this Ksock is waiting for room, because the bus would accept none behind it. So one with AllOrWait holds up those
// behind it until it is through; nothing is lost or overtaken, but a stream of such messages is no faster than
// through Ksock.Send. (ErrPending is not an error here.)
//
// The answer to a Request comes as any other message.
func (p *Pipe) Send(ctx context.Context, m *Message) error {
	c := p.k.conn.Load()
	c.Lock()
	defer c.Unlock()
	if err := c.MakeWay(ctx); err != nil {
		return &Error{Op: client.Verb(wire.OpSendMessage), Name: m.Name, Err: err}
	}
	if p.c != c { // the Ksock has been reopened; everything that went on the old one has its result
		p.c, p.pipe.Last = c, 0
	}
	if err := c.SendPiped(ctx, &p.pipe, m); err != nil {
		return &Error{Op: client.Verb(wire.OpSendMessage), Name: m.Name, Err: err}
	}
	return p.failure()
}

// Flush sends what has been collected, and waits until all messages sent so far have their results. It gives the
// totals, and the first failure that has not been told yet, a *PipeError; the next Flush gives the next. Or it gives
// the error of ctx, and then there are results still to come.
//
// It does not wait for a message that waits for room; see WaitSent.
func (p *Pipe) Flush(ctx context.Context) (Totals, error) {
	c := p.c
	if c == nil {
		return Totals{}, nil
	}
	c.Lock()
	defer c.Unlock()
	if err := c.AwaitResults(ctx, p.pipe.Last); err != nil {
		return Totals(p.pipe.Totals), &Error{Op: "flush", Err: err}
	}
	return Totals(p.pipe.Totals), p.failure()
}

// failure takes the first failure that has not been told.
func (p *Pipe) failure() error {
	if f := p.pipe.Failure(); f != nil {
		return (*PipeError)(f)
	}
	return nil
}
