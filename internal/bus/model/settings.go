package model

import "kbus.example/kbus/message"

// What a Ksock may set on itself and on the bus (R3.73-R3.87).

// SetMaxMessages is MAXMSGS (R3.73, R3.74): 0 only asks.
func (b *Bus) SetMaxMessages(k *Ksock, n uint32) uint32 {
	k.maxMessages = or(n, k.maxMessages)
	return k.maxMessages
}

// setSwitch is what the three switches have in common: 0 off, 1 on, 0xFFFFFFFF asks, and the former value comes back
// (R3.77).
func setSwitch(s *uint32, v uint32) (old uint32, c message.Condition) {
	old = *s
	switch v {
	case 0, 1:
		*s = v
	case 0xFFFFFFFF:
	default:
		return 0, message.ErrBadSwitch
	}
	return old, message.OK
}

// OnlyOnce is MSGONLYONCE (R3.77).
func (b *Bus) OnlyOnce(k *Ksock, v uint32) (old uint32, c message.Condition) {
	return setSwitch(&k.onlyOnce, v)
}

// Verbose is VERBOSE (R3.78).
func (b *Bus) Verbose(v uint32) (old uint32, c message.Condition) { return setSwitch(&b.verbose, v) }

// SetMaxMessageBytes is MAXMSGSIZE (R3.86): 0 and 1 ask for the maximum and the absolute maximum.
func (b *Bus) SetMaxMessageBytes(n uint32) (now uint32, c message.Condition) {
	absolute := or(b.config.AbsMaxMessageBytes, 409600)
	switch {
	case n == 0:
		return b.maxBytes, message.OK
	case n == 1:
		return absolute, message.OK
	case n < 100 || n > absolute:
		return 0, message.ErrBadSize
	}
	b.maxBytes = n
	return n, message.OK
}
