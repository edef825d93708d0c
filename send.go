package kbus

import (
	"context"

	"kbus/internal/wire"
)

// Sent is what Send tells of a message that the bus has accepted.
type Sent struct {
	ID      ID     // the id that the bus has given it
	Reached uint32 // copies that were delivered, one for each binding or addressee
	Skipped uint32 // Listener bindings that were passed over because their queue was full (R4.18)
}

// Send sends a message (R3.65). When it returns without an error, whoever was to get the message can receive it
// (R3.70). It does not wait for anybody; ctx is only for a bus that does not answer, and after it has ended it is not
// known whether the message was sent.
//
// ErrPending is the one error that is none: the message was AllOrWait and somebody's queue is full. It has its id, in
// Sent, and waits for room; meanwhile this Ksock can do anything but send (ErrStillSending). See WaitSent, Resend and
// Discard.
//
// After all other errors the message is not sent. ErrReplierFull, ErrNoReplier, ErrOtherReplier and ErrNoRoomForReply
// are for Requests, ErrAddresseeGone, ErrNotExpected and ErrNotYoursToReply for Replies, ErrListenerFull for
// AllOrFail, ErrWaitAndFail for both flags at once. ErrBadName, ErrNameTooLong, ErrMessageTooLong and ErrMalformed are
// about the message itself, ErrUserQueueBytes and ErrBusQueueBytes about limits. ErrWrongMode on a Ksock that is
// ReadOnly; ErrStopping for a Request when the bus is ending.
func (k *Ksock) Send(ctx context.Context, m *Message) (Sent, error) {
	return k.sendBy(ctx, wire.OpSendMessage, m)
}

func (k *Ksock) sendBy(ctx context.Context, op wire.Op, m *Message) (Sent, error) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(op)
	defer c.release(q)
	q.message = m
	err := c.ask(ctx, q)
	return Sent(q.sent), err
}

// Resend tries again to send the message that waits for room (R3.68), and fails as Send does; the message is lost then,
// unless it is ErrPending. ErrNothingToSend if no message waits, because it has been sent meanwhile. There is no need
// to call it: the bus tries by itself whenever there may be room.
func (k *Ksock) Resend() (Sent, error) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpResend)
	defer c.release(q)
	err := c.ask(context.Background(), q)
	return Sent(q.sent), err
}

// Discard drops the message that waits for room, if there is one (R3.71). Nobody gets it and no Status comes for it.
func (k *Ksock) Discard() error {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	// Was there one? If it was a Request, it is not to be answered any more. The two travel together.
	poll, discard := c.question(wire.OpPoll), c.question(wire.OpDiscard)
	defer c.release(poll)
	defer c.release(discard)
	if err := c.start(poll); err != nil {
		return err
	}
	err := c.ask(context.Background(), discard)
	if err == nil && poll.number&writable == 0 {
		c.asked.remove(c.unsent)
	}
	if err == nil {
		c.unsent = ID{}
	}
	return err
}

// WaitSent waits until no message of this Ksock waits for room: it has been sent, or it could not be, and then a
// Request among them has got a Status (R3.92).
func (k *Ksock) WaitSent(ctx context.Context) error {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpWaitSent)
	defer c.release(q)
	return c.ask(ctx, q)
}

// Bits of the answer to Poll.
const (
	readable = 1
	writable = 2
)

// Poll tells whether there is something to receive and whether a message can be sent (R3.90, R3.91).
func (k *Ksock) Poll() (canReceive, canSend bool, err error) {
	c := k.conn.Load()
	bits, err := c.number(wire.OpPoll, 0, "")
	return bits&readable != 0 || err == nil && c.kept() > 0, bits&writable != 0, err
}

// Sending tells whether a message of this Ksock waits for room.
func (k *Ksock) Sending() (bool, error) {
	_, canSend, err := k.Poll()
	return err == nil && !canSend && k.mode&WriteMode != 0, err
}

// LastSent is the id of the last message that this Ksock has sent, or tried to (R3.72); zero before the first.
func (k *Ksock) LastSent() (ID, error) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpLastSent)
	defer c.release(q)
	err := c.ask(context.Background(), q)
	return q.sent.ID, err
}
