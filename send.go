package kbus

import (
	"context"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Sent is what Send tells of a message that the bus has accepted.
type Sent struct {
	ID      ID     // the id that the bus has given it
	Reached uint32 // copies that were delivered, one for each binding or addressee
	Skipped uint32 // Listener bindings that were passed over because their queue was full
	Pending bool   // nobody has got it yet: it has AllOrWait, and waits for room
}

// Send sends a message. When it returns without an error, and Pending is not set, everybody who was to get the message
// can receive it. It does not wait for anybody; ctx is only for a bus that does not answer, and after it has ended it is
// not known whether the message was sent.
//
// A message with AllOrWait that finds a full queue is Pending: it has its id, and the bus delivers it to all as soon as
// all have room. Meanwhile this Ksock can do anything but send (ErrStillSending). See WaitSent and Discard.
//
// After an error the message is not sent. ErrReplierFull, ErrNoReplier, ErrOtherReplier and ErrNoRoomForReply are for
// Requests, ErrAddresseeGone, ErrNotExpected and ErrNotYoursToReply for Replies, ErrListenerFull for AllOrFail,
// ErrWaitAndFail for both flags at once. ErrBadName, ErrNameTooLong, ErrMessageTooLong and ErrMalformed are about the
// message itself, ErrUserQueueBytes and ErrBusQueueBytes about limits. ErrWrongMode on a Ksock that is ReadOnly;
// ErrStopping for a Request when the bus is ending.
func (k *Ksock) Send(ctx context.Context, m *Message) (Sent, error) {
	return k.sendBy(ctx, wire.OpSendMessage, m)
}

func (k *Ksock) sendBy(ctx context.Context, op wire.Op, m *Message) (Sent, error) {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(op)
	defer c.Release(q)
	q.Message = m
	return sent(q, c.ask(ctx, q))
}

// sent gives what an operation that sends has ended in. That a message waits for room is no error here.
func sent(q *question, err error) (Sent, error) {
	s := Sent{ID: q.Sent.ID, Reached: q.Sent.Reached, Skipped: q.Sent.Skipped}
	if q.Answered && q.Condition == message.ErrPending {
		s.Pending, err = true, nil
	}
	return s, err
}

// Discard drops the message that waits for room, if there is one. Nobody gets it and no Status comes for it.
func (k *Ksock) Discard(ctx context.Context) error {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	return publicError(c.Conn.Discard(ctx))
}

// WaitSent waits until no message of this Ksock waits for room: it has been sent, or it could not be, and then a Request
// among them has got a Status.
func (k *Ksock) WaitSent(ctx context.Context) error {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpWaitSent)
	defer c.Release(q)
	return c.ask(ctx, q)
}

// Call sends a Request and waits for its Reply. If a Status comes instead, the error is a *StatusError; errors.Is
// tells which, for instance ErrGoneAway. Sending may fail as with Send, except that a Request with AllOrWait waits for
// room here.
//
// The bus itself picks the Reply out of the queue. Other messages stay there, in order, so a Call needs nobody who
// receives at the same time, and may be made while a message is being handled (see Serve).
//
// If ctx ends first, the error is that of ctx. The Request is not taken back, but nobody waits for its answer any more:
// the bus drops it when it comes. With the option KeepLateAnswer it comes as any other message, in reply to the ID of the
// *Error.
//
// The Ksock must be open for reading and writing, else ErrWrongMode. ErrNotARequest if m is not a Request.
func (k *Ksock) Call(ctx context.Context, m *Message) (*Message, error) {
	if !m.IsRequest() {
		return nil, &Error{Op: client.Verb(wire.OpCall), Name: m.Name, Err: ErrNotARequest}
	}
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpCall)
	defer c.Release(q)
	q.Message = m
	err := c.ask(ctx, q)
	switch {
	case q.Answered && q.Condition == message.ErrBusGone:
		return nil, &StatusError{client.BusGoneAway(ID{}, c.ID())}
	case err != nil:
		return nil, err
	}
	return statusOr(q.Got)
}

// NextReply waits for the Reply to a Request that has been sent with Send, wherever it stands in the queue, and
// returns as Call does. It is meant for a program that has several Requests open at a time. If ctx ends first, the
// Reply comes as any other message. For a message id that is not that of an open Request, it waits in vain.
func (k *Ksock) NextReply(ctx context.Context, request ID) (*Message, error) {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpNextReply)
	defer c.Release(q)
	q.ID = request
	m, err := c.NextReply(ctx, q)
	if err != nil {
		return nil, publicError(err)
	}
	return statusOr(m)
}

// statusOr gives a Reply as it is, and a Status as the error that it stands for.
func statusOr(m *Message) (*Message, error) {
	if err := StatusOf(m); err != nil {
		return nil, err
	}
	return m, nil
}
