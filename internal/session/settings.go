package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The small operations: a name or a number in, a condition and a number out. The bus decides; this only carries.

// bind waits when the federation has yet to say whether the name is free.
func (s *Session) bind(h wire.Header, name []byte) {
	do := (*bus.Bus).Bind
	if h.Arg == wire.AsStandby {
		do = standBy
	}
	s.bound(h, name, s.bindOr(do, h, name))
}

func standBy(b *bus.Bus, k *bus.Ksock, name string, _ bool) message.Condition {
	return bus.StandBy(b, k, name)
}

func (s *Session) unbind(h wire.Header, name []byte) {
	c := s.bindOr((*bus.Bus).Unbind, h, name)
	if c == message.OK && s.engine.bus.Purging(s.ksock) {
		purge(s, h)
		return
	}
	s.named(h, name, true, c)
}

// bindOr binds or unbinds. The length is checked before the name is copied (R1.19).
func (s *Session) bindOr(
	do func(*bus.Bus, *bus.Ksock, string, bool) message.Condition, h wire.Header, name []byte,
) message.Condition {
	if len(name) > message.MaxNameBytes {
		return message.ErrNameTooLong
	}
	return do(s.engine.bus, s.ksock, string(name), h.Arg != 0) // F4
}

func (s *Session) replier(h wire.Header, name []byte) {
	if c := bus.CheckReplierQuery(string(name)); c != message.OK {
		s.result(h, c, 0)
		return
	}
	s.result(h, message.OK, uint32(s.engine.bus.Replier(string(name))))
}

func (s *Session) poll(h wire.Header, _ []byte) {
	readable, sending := s.engine.bus.Poll(s.ksock)
	bits := uint32(0)
	if readable {
		bits |= 1
	}
	if s.may(wire.Writer) && !sending { // R3.91
		bits |= 2
	}
	s.result(h, message.OK, bits)
	s.engine.look(s)
}

func (s *Session) lastSent(h wire.Header, _ []byte) {
	at := s.begin(h, message.OK, 0, wire.IDBytes)
	s.out.buf = wire.AppendID(s.out.buf, s.engine.bus.LastSent(s.ksock))
	s.end(at, 0)
}

func (s *Session) maxMessages(h wire.Header, _ []byte) {
	s.result(h, message.OK, s.engine.bus.SetMaxMessages(s.ksock, h.Arg))
}

func (s *Session) numMessages(h wire.Header, _ []byte) {
	s.result(h, message.OK, s.engine.bus.NumMessages(s.ksock))
}

func (s *Session) numUnreplied(h wire.Header, _ []byte) {
	s.result(h, message.OK, s.engine.bus.NumUnreplied(s.ksock))
}

func (s *Session) onlyOnce(h wire.Header, _ []byte) {
	old, c := s.engine.bus.OnlyOnce(s.ksock, h.Arg)
	s.number(h, c, old)
}

func (s *Session) verbose(h wire.Header, _ []byte) {
	old, c := s.engine.bus.Verbose(s.ksock, h.Arg)
	s.number(h, c, old)
}

func (s *Session) reportReplierBinds(h wire.Header, _ []byte) {
	if h.Arg == 1 && s.engine.pieces {
		s.reportBinds(h)
		return
	}
	old, c := s.engine.bus.ReportReplierBinds(s.ksock, h.Arg)
	s.number(h, c, old)
}

func (s *Session) maxMessageSize(h wire.Header, _ []byte) {
	now, c := s.engine.bus.SetMaxMessageBytes(s.ksock, h.Arg)
	s.number(h, c, now)
}

func (s *Session) newBus(h wire.Header, _ []byte) {
	if s.engine.host == nil {
		s.result(h, message.ErrNotPermitted, 0)
		return
	}
	if c := s.engine.bus.MayMakeBuses(s.ksock); c != message.OK {
		s.result(h, c, 0)
		return
	}
	number, c := s.engine.host.NewBus(s.ksock.Owner())
	s.number(h, c, number)
}

// number answers with a number if there is one: on any condition the argument is 0.
func (s *Session) number(h wire.Header, c message.Condition, n uint32) {
	if c != message.OK {
		n = 0
	}
	s.result(h, c, n)
}
