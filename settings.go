package kbus

import (
	"kbus/internal/wire"
)

// What can be asked and set. KBUS has switches that say what they were before; here each is a question and a setting.

// justAsk is what the original passes to a switch to leave it alone (R3.77).
const justAsk = 0xFFFFFFFF

// NumMessages is how many messages wait to be received, with replier bind events set aside (R3.75) and messages that
// have come by ReadAhead.
func (k *Ksock) NumMessages() (uint32, error) {
	c := k.conn.Load()
	n, err := c.number(wire.OpNumMessages, 0, "")
	if err != nil {
		return 0, err
	}
	return n + c.kept(), nil
}

// NumUnreplied is how many Requests we have received, must reply to, and have not yet replied to (R3.76).
func (k *Ksock) NumUnreplied() (uint32, error) {
	return k.conn.Load().number(wire.OpNumUnreplied, 0, "")
}

// MaxMessages is how many messages the queue may hold, Replies to come included (R4.1).
func (k *Ksock) MaxMessages() (uint32, error) { return k.conn.Load().number(wire.OpMaxMessages, 0, "") }

// SetMaxMessages sets the limit of the queue (R3.73), and gives the limit now in force. 0 changes nothing. A lower
// limit removes nothing from the queue.
func (k *Ksock) SetMaxMessages(n uint32) (uint32, error) {
	now, err := k.conn.Load().number(wire.OpMaxMessages, n, "")
	if err == nil && n != 0 {
		k.remember(func(m *memory) { m.maxMessages = n })
	}
	return now, err
}

// OnlyOnce tells whether the Ksock gets one copy of a message at most, whatever the number of its bindings that match.
func (k *Ksock) OnlyOnce() (bool, error) { return k.turn(wire.OpOnlyOnce, justAsk) }

// SetOnlyOnce turns that on or off (R3.77, R4.24), and tells what it was before.
func (k *Ksock) SetOnlyOnce(on bool) (was bool, err error) {
	was, err = k.turn(wire.OpOnlyOnce, switchTo(on))
	if err == nil {
		k.remember(func(m *memory) { m.onlyOnce = on })
	}
	return was, err
}

// Verbose tells whether the bus logs what it does. It is a setting of the whole bus.
func (k *Ksock) Verbose() (bool, error) { return k.turn(wire.OpVerbose, justAsk) }

// SetVerbose turns that on or off, for the whole bus (R3.78), and tells what it was before.
func (k *Ksock) SetVerbose(on bool) (was bool, err error) {
	return k.turn(wire.OpVerbose, switchTo(on))
}

// ReportReplierBinds tells whether the bus announces Repliers that bind and unbind. It is a setting of the whole bus.
func (k *Ksock) ReportReplierBinds() (bool, error) { return k.turn(wire.OpReportReplierBinds, justAsk) }

// SetReportReplierBinds turns that on or off, for the whole bus (R3.83), and tells what it was before. Each time it is
// turned on, this Ksock gets an event for every Replier binding there is (R3.84); ErrReportFull if the queue has not
// room for all of them, and then nothing has changed (F41). The events are Announcements called NameReplierBindEvent.
func (k *Ksock) SetReportReplierBinds(on bool) (was bool, err error) {
	return k.turn(wire.OpReportReplierBinds, switchTo(on))
}

// MaxMessageSize is how long a message may be, in bytes of the entire form (R2.6): 92 more than name and data, and up
// to 7 for padding. It is a setting of the whole bus.
func (k *Ksock) MaxMessageSize() (uint32, error) {
	return k.conn.Load().number(wire.OpMaxMessageSize, 0, "")
}

// AbsMaxMessageSize is the most that MaxMessageSize can be set to.
func (k *Ksock) AbsMaxMessageSize() (uint32, error) {
	return k.conn.Load().number(wire.OpMaxMessageSize, 1, "")
}

// SetMaxMessageSize sets how long a message may be, for the whole bus (R3.86), and gives the limit now in force.
// ErrBadSize below 100 or above AbsMaxMessageSize. As in the original, 0 and 1 set nothing: they ask for MaxMessageSize
// and AbsMaxMessageSize.
func (k *Ksock) SetMaxMessageSize(n uint32) (uint32, error) {
	return k.conn.Load().number(wire.OpMaxMessageSize, n, "")
}

// NewBus adds a bus, and gives its number (R3.81). ErrTooManyBuses if there are 256; ErrNotPermitted if the daemon does
// not let this user. (The package's function NewBus makes a bus inside this process.)
func (k *Ksock) NewBus() (number uint32, err error) {
	return k.conn.Load().number(wire.OpNewBus, 0, "")
}

func (k *Ksock) turn(op wire.Op, v uint32) (was bool, err error) {
	old, err := k.conn.Load().number(op, v, "")
	return old != 0, err
}

func switchTo(on bool) uint32 {
	if on {
		return 1
	}
	return 0
}
