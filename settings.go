package kbus

import (
	"context"

	"kbus.example/kbus/internal/wire"
)

// What can be asked and set, in two views: of one queue, and of the whole bus. KBUS has switches that say what they were
// before; here each is a question and a setting.

// justAsk is what the original passes to a switch to leave it alone (R3.77).
const justAsk = 0xFFFFFFFF

// Queue is the limits and figures of a Ksock's own queue.
type Queue struct{ k *Ksock }

// Len is how many messages wait to be received, with replier bind events set aside and messages that have come by
// ReadAhead.
func (q Queue) Len(ctx context.Context) (messages uint32, err error) {
	c := q.k.conn.Load()
	n, err := c.number(ctx, wire.OpNumMessages, 0, "")
	if err != nil {
		return 0, err
	}
	return n + c.Kept(), nil
}

// Unreplied is how many Requests the Ksock has received, must reply to, and has not yet replied to.
func (q Queue) Unreplied(ctx context.Context) (requests uint32, err error) {
	return q.k.conn.Load().number(ctx, wire.OpNumUnreplied, 0, "")
}

// Missed counts the messages that the Ksock did not get because its queue was full when they were sent. Where they are
// missing, the message after the gap says (Message.Missed).
func (q Queue) Missed(ctx context.Context) (messages uint64, err error) {
	return q.k.conn.Load().missed(ctx)
}

// Limit is how many messages the queue may hold, Replies to come included; 100 unless it was set.
func (q Queue) Limit(ctx context.Context) (messages uint32, err error) {
	return q.k.conn.Load().number(ctx, wire.OpMaxMessages, 0, "")
}

// SetLimit sets the limit, and gives the one now in force. 0 changes nothing. A lower limit removes nothing from the
// queue.
func (q Queue) SetLimit(ctx context.Context, messages uint32) (now uint32, err error) {
	now, err = q.k.conn.Load().number(ctx, wire.OpMaxMessages, messages, "")
	if err == nil && messages != 0 {
		q.k.memory.change(func(m *remembered) { m.maxMessages = messages })
	}
	return now, err
}

// OnlyOnce tells whether the Ksock gets one copy of a message at most, whatever the number of its bindings that match.
// It gets all of them unless this was set.
func (q Queue) OnlyOnce(ctx context.Context) (bool, error) {
	return q.k.turn(ctx, wire.OpOnlyOnce, justAsk)
}

// SetOnlyOnce turns that on or off, and tells what it was before.
func (q Queue) SetOnlyOnce(ctx context.Context, on bool) (was bool, err error) {
	was, err = q.k.turn(ctx, wire.OpOnlyOnce, switchTo(on))
	if err == nil {
		q.k.memory.change(func(m *remembered) { m.onlyOnce = on })
	}
	return was, err
}

// Settings is what is set for the whole bus and every Ksock on it. To set most of it is for administrators of the bus,
// else ErrNotAdministrator.
type Settings struct{ k *Ksock }

// ReportReplierBinds tells whether the bus announces Repliers that bind and unbind.
func (s Settings) ReportReplierBinds(ctx context.Context) (bool, error) {
	return s.k.turn(ctx, wire.OpReportReplierBinds, justAsk)
}

// SetReportReplierBinds turns that on or off, and tells what it was before. Each time it is turned on, this Ksock gets an
// event for every Replier binding there is; ErrReportFull if the queue has not room for all of them, and then nothing has
// changed. The events are Announcements called NameReplierBindEvent. Every user may turn it on; it goes off when the last
// Ksock that has turned it on has closed.
func (s Settings) SetReportReplierBinds(ctx context.Context, on bool) (was bool, err error) {
	return s.k.turn(ctx, wire.OpReportReplierBinds, switchTo(on))
}

// MaxMessageBytes is how long a message may be, in bytes of the entire form: 92 more than name and data, and up to 7 for
// padding.
func (s Settings) MaxMessageBytes(ctx context.Context) (uint32, error) {
	return s.k.conn.Load().number(ctx, wire.OpMaxMessageSize, 0, "")
}

// AbsMaxMessageBytes is the most that MaxMessageBytes can be set to.
func (s Settings) AbsMaxMessageBytes(ctx context.Context) (uint32, error) {
	return s.k.conn.Load().number(ctx, wire.OpMaxMessageSize, 1, "")
}

// SetMaxMessageBytes sets how long a message may be, and gives the limit now in force. ErrBadSize below 100 or above
// AbsMaxMessageBytes. As in the original, 0 and 1 set nothing: they ask for MaxMessageBytes and AbsMaxMessageBytes.
func (s Settings) SetMaxMessageBytes(ctx context.Context, n uint32) (now uint32, err error) {
	return s.k.conn.Load().number(ctx, wire.OpMaxMessageSize, n, "")
}

// AddBus adds a bus to those of the daemon, or of a Bus in this process, and gives its number. ErrTooManyBuses if there
// are 256; ErrNotPermitted if the daemon does not let this user.
func (s Settings) AddBus(ctx context.Context) (BusNumber, error) {
	n, err := s.k.conn.Load().number(ctx, wire.OpNewBus, 0, "")
	return BusNumber(n), err
}

func (k *Ksock) turn(ctx context.Context, op wire.Op, v uint32) (was bool, err error) {
	old, err := k.conn.Load().number(ctx, op, v, "")
	return old != 0, err
}

func switchTo(on bool) uint32 {
	if on {
		return 1
	}
	return 0
}
