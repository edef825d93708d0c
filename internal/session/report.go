package session

import (
	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// Reports: the two texts of the original, and the same knowledge as numbers for programs. Anybody may read them, as
// with the original's /proc files (R8.1); an observer needs no Ksock for it, so looking changes nothing that is looked
// at.

func (s *Session) bindingsReport(h wire.Header, _ []byte) {
	at := s.begin(h, message.OK, 0, 0)
	s.out.buf = s.engine.AppendBindingsReport(s.out.buf)
	s.end(at, 0)
}

func (s *Session) statsReport(h wire.Header, _ []byte) {
	at := s.begin(h, message.OK, 0, 0)
	s.out.buf = s.engine.AppendStatsReport(s.out.buf)
	s.end(at, 0)
}

func (s *Session) list(h wire.Header, _ []byte) {
	unsent := uint32(len(s.Out())) // without this result
	at := s.begin(h, message.OK, 0, 0)
	n := uint32(0)
	for k := range s.engine.bus.Ksocks() {
		e := ksockEntry(k)
		if k == s.ksock {
			e.UnsentBytes = unsent
		}
		s.out.buf = wire.AppendKsockEntry(s.out.buf, e)
		n++
	}
	s.end(at, n)
}

func ksockEntry(k *bus.Ksock) wire.KsockEntry {
	i := k.Info()
	e := wire.KsockEntry{
		Party:           party(k),
		Queued:          i.Queued,
		MaxMessages:     i.MaxMessages,
		Outstanding:     i.Outstanding,
		OutstandingMost: i.OutstandingMost,
		Unreplied:       i.Unreplied,
		UnrepliedMost:   i.UnrepliedMost,
		SetAside:        i.SetAside,
		OnlyOnce:        oneIf(i.OnlyOnce),
		Sending:         oneIf(i.Sending),
		LastNetwork:     i.LastSent.Network,
		LastSerial:      i.LastSent.Serial,
		Bindings:        uint32(i.Bindings),
	}
	switch of := k.Tag.(type) {
	case *Session:
		e.Mode, e.Waiting, e.UnsentBytes = of.mode, uint32(of.Waiting()), uint32(len(of.Out()))
	case Guest:
		e.Mode = uint32(of.File().Mode)
	}
	return e
}

func party(k *bus.Ksock) wire.Party {
	o := k.Owner()
	return wire.Party{Ksock: k.ID(), PID: o.PID, UID: o.UID, Program: o.Program}
}

// who refuses a name that no message can have (R1.20): who would get it is not a question.
func (s *Session) who(h wire.Header, name []byte) {
	if c := message.CheckName(name); c != message.OK {
		s.result(h, c, 0)
		return
	}
	replier, listeners := s.engine.bus.Who(string(name))
	at := s.begin(h, message.OK, 0, 0)
	first := wire.Party{}
	if replier != nil {
		first = party(replier)
	}
	s.out.buf = wire.AppendParty(s.out.buf, first)
	for _, k := range listeners {
		s.out.buf = wire.AppendParty(s.out.buf, party(k))
	}
	s.end(at, uint32(len(listeners)))
}

func (s *Session) info(h wire.Header, _ []byte) {
	e := s.engine
	i := e.bus.Info()
	w := wire.Info{
		Bus:                e.number,
		NextKsock:          i.NextKsock,
		NextSerial:         i.NextSerial,
		Ksocks:             uint32(i.Ksocks),
		Bindings:           uint32(i.Bindings),
		SetAside:           uint32(i.SetAside),
		Tragic:             oneIf(i.Tragic),
		Verbose:            oneIf(i.Verbose),
		ReportReplierBinds: oneIf(i.ReportBinds),
		MaxMessageBytes:    i.MaxMessageBytes,
		AbsMaxMessageBytes: i.AbsMaxMessageBytes,
		Stopping:           oneIf(i.Stopping),
	}
	for _, c := range e.sessions {
		w.Connections += oneIf(c.greeted)
	}
	for binding := range e.bus.Bindings() {
		w.Repliers += oneIf(binding.Replier)
	}
	for k := range e.bus.Ksocks() {
		of := k.Info()
		w.Queued += of.Queued
		w.Outstanding += of.Outstanding
		w.Sending += oneIf(of.Sending)
	}
	at := s.begin(h, message.OK, 0, 0)
	s.out.buf = wire.AppendInfo(s.out.buf, w)
	s.end(at, 0)
}

func oneIf(yes bool) uint32 {
	if yes {
		return 1
	}
	return 0
}
