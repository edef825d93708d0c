package kbus

import (
	"context"

	"kbus/internal/wire"
	"kbus/message"
)

// Call sends a Request and waits for its Reply. If a Status comes instead, the error is a *StatusError; errors.Is
// tells which, for instance ErrGoneAway. Sending may fail as with Send, except that a Request with AllOrWait waits for
// room here.
//
// The bus itself picks the Reply out of the queue. Other messages stay there, in order, so a Call needs nobody who
// receives at the same time, and may be made while a message is being handled (see Serve).
//
// If ctx ends first, the error is that of ctx. The Request is not taken back: its Reply or Status will come as any
// other message, in reply to the ID of the *Error.
//
// The Ksock must be open for reading and writing, else ErrWrongMode. ErrNotARequest if m is not a Request.
func (k *Ksock) Call(ctx context.Context, m *Message) (*Message, error) {
	if !m.IsRequest() {
		return nil, &Error{Op: verbs[wire.OpCall], Name: m.Name, Err: ErrNotARequest}
	}
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpCall)
	defer c.release(q)
	q.message = m
	err := c.ask(ctx, q)
	if q.answered && q.condition == message.ErrBusGone {
		return nil, &StatusError{busGoneAway(ID{}, c.id)}
	}
	return answerOf(q, err)
}

// NextReply waits for the Reply to a Request that has been sent with Send, wherever it stands in the queue, and
// returns as Call does. It is meant for a program that has several Requests open at a time. If ctx ends first, the
// Reply comes as any other message. For a message id that is not that of an open Request, it waits in vain.
func (k *Ksock) NextReply(ctx context.Context, request ID) (*Message, error) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unload()
	if m := c.inbox.popReply(c.id, request); m != nil {
		return statusOr(m)
	}
	q := c.question(wire.OpNextReply)
	defer c.release(q)
	q.id, q.arg = request, 1
	err := c.ask(ctx, q)
	if q.condition == message.ErrBusGone {
		if m := c.inbox.popReply(c.id, request); m != nil {
			return statusOr(m)
		}
	}
	return answerOf(q, err)
}

func answerOf(q *question, err error) (*Message, error) {
	if err != nil {
		return nil, err
	}
	return statusOr(q.got)
}

// statusOr gives a Reply as it is, and a Status as the error that it stands for.
func statusOr(m *Message) (*Message, error) {
	if err := StatusOf(m); err != nil {
		return nil, err
	}
	return m, nil
}
