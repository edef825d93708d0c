package bus

import "kbus.example/kbus/message"

// The switches and limits that clients can turn, of a Ksock and of the whole bus.

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
	b.SyncWindow(k) // what has been taken may have moved a set-aside event, under the old value
	return toggle(&k.onlyOnce, v)
}

// Verbose turns diagnostics for the whole bus on or off (R3.78) and gives the previous value: ErrNotAdministrator unless
// k may, or only asks. nil is the owner of the bus. The bus itself says nothing.
func (b *Bus) Verbose(k *Ksock, v uint32) (old uint32, c message.Condition) {
	before := b.verbose
	if v <= 1 {
		if c := b.mayAdminister(k); c != message.OK {
			return 0, c
		}
	}
	old, c = toggle(&b.verbose, v)
	b.noteSwitch(k, SwitchVerbose, before, b.verbose)
	return old, c
}

// ReportReplierBinds turns replier bind events on or off for the whole bus (R3.83) and gives the previous value.
// Turning them on, again too, queues for k an event for each replier binding there is; if these do not all fit,
// ErrReportFull and no change (F41). Every Ksock may turn them on, since that stops no other; they go off with the last
// Ksock that has asked for them (see askers). An administrator turns them off for all; for any other k, off means only
// that k asks no more.
func (b *Bus) ReportReplierBinds(k *Ksock, v uint32) (old uint32, c message.Condition) {
	before := b.reportBinds
	switch v {
	case 1:
		r, old, c := b.BeginBindReport(k)
		if c != message.OK {
			return 0, c
		}
		for r.Next() {
		}
		r.End()
		return old, message.OK
	case 0:
		if !b.administers(k) {
			b.askNoMore(k)
			v = JustAsk
		} else {
			b.nobodyAsks()
		}
	}
	after := before
	old, c = toggle(&after, v)
	b.noteSwitch(k, SwitchReportBinds, before, b.reportBinds)
	return old, c
}

// turnedOn turns replier bind events on for k, and gives the previous value.
func (s *switches) turnedOn(k *Ksock) (old uint32, c message.Condition) {
	before := s.reportBinds
	s.askForEvents(k)
	after := before
	old, c = toggle(&after, 1)
	s.noteSwitch(k, SwitchReportBinds, before, s.reportBinds)
	return old, c
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
// 1 for the absolute maximum; ErrBadSize below 100 or above that (R3.86), ErrNotAdministrator unless k may.
func (b *Bus) SetMaxMessageBytes(k *Ksock, n uint32) (uint32, message.Condition) {
	switch {
	case n == 0:
		return b.maxMessageBytes, message.OK
	case n == 1:
		return b.config.AbsMaxMessageBytes, message.OK
	case n < leastMessageBytes, n > b.config.AbsMaxMessageBytes:
		return 0, message.ErrBadSize
	}
	if c := b.mayAdminister(k); c != message.OK {
		return 0, c
	}
	b.noteSwitch(k, SwitchMaxMessageBytes, b.maxMessageBytes, n)
	b.maxMessageBytes = n
	return n, message.OK
}

// MaxMessageBytes is the longest message that may be sent now, in bytes of the entire form.
func (s *switches) MaxMessageBytes() uint32 { return s.maxMessageBytes }
