package bus

import "kbus/message"

// JustAsk is the value with which a switch is only queried (R3.77).
const JustAsk = 0xFFFFFFFF

// toggle is what every switch does: OK with the previous value, or ErrBadSwitch and no change (R3.77).
func toggle(flag *bool, v uint32) (old uint32, c message.Condition) {
	if *flag {
		old = 1
	}
	switch v {
	case 0, 1:
		*flag = v == 1
	case JustAsk:
	default:
		return 0, message.ErrBadSwitch
	}
	return old, message.OK
}

// OnlyOnce turns only-once for k on or off (R3.77) and gives the previous value.
func (b *Bus) OnlyOnce(k *Ksock, v uint32) (old uint32, c message.Condition) {
	b.Settle(k) // what has been taken may have moved a set-aside event, under the old value
	return toggle(&k.onlyOnce, v)
}

// Verbose turns diagnostics for the whole bus on or off (R3.78) and gives the previous value. The bus itself says
// nothing.
func (b *Bus) Verbose(v uint32) (old uint32, c message.Condition) { return toggle(&b.verbose, v) }

// ReportReplierBinds turns replier bind events on or off for the whole bus (R3.83) and gives the previous value.
// Turning them on, again too, queues for k an event for each replier binding there is; if they do not all fit,
// ErrReportFull and no change (F41).
func (b *Bus) ReportReplierBinds(k *Ksock, v uint32) (old uint32, c message.Condition) {
	if v == 1 {
		if c := b.reportReplierBinds(k); c != message.OK {
			return 0, c
		}
	}
	return toggle(&b.reportBinds, v)
}

// SetMaxMessages sets the limit of k's queue, in messages, and gives the limit in force; 0 asks only (R3.73). A limit
// below what is queued removes nothing.
func (b *Bus) SetMaxMessages(k *Ksock, n uint32) uint32 {
	if n != 0 {
		k.maxMessages = n
		b.wakes.room(k)
	}
	return k.maxMessages
}

// SetMaxMessageBytes sets the longest message of the bus, in bytes of the entire form: 0 asks for the value in force,
// 1 for the absolute maximum; ErrBadSize below 100 or above that (R3.86).
func (b *Bus) SetMaxMessageBytes(n uint32) (uint32, message.Condition) {
	switch {
	case n == 0:
		return b.maxMessageBytes, message.OK
	case n == 1:
		return b.config.AbsMaxMessageBytes, message.OK
	case n < leastMessageBytes, n > b.config.AbsMaxMessageBytes:
		return 0, message.ErrBadSize
	}
	b.maxMessageBytes = n
	return n, message.OK
}

// MaxMessageBytes is the longest message that may be sent now, in bytes of the entire form.
func (b *Bus) MaxMessageBytes() uint32 { return b.maxMessageBytes }
