package session

import (
	"encoding/binary"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Reports: the two texts of the original, and the same knowledge as numbers for programs. Anybody may read them, as
// with the original's /proc files (R8.1); an observer needs no Ksock for it, so looking changes nothing that is looked
// at.
//
// A report is made in pieces, with other sessions' turns in between, for on a bus with very many Ksocks or bindings it is
// long. Each of its parts is as things are when that part is made; what goes meanwhile is left out. Until it is complete
// its session is Busy: requests that follow it wait.

type report struct {
	h     wire.Header
	rest         // what is complete of a long one
	buf   []byte // and what follows that
	parts uint32
	next  func() bool // appends a part, and reports false when there is none left
	end   func()
	acts  bool // it is not made for its result alone
}

// PartsPerPiece is how many parts of a report are made at a time.
const PartsPerPiece = 16

// InPieces has long reports made in pieces, long queues gone through in pieces, and of very many messages that wait for room some
// tried at a time: the owner must call Continue as long as a session is Reporting, the bus's Sweep as long as it is Littered, and
// Pump as long as the bus has something Untried. Without it each is done at once.
func (e *Engine) InPieces() {
	e.pieces = true
	e.bus.InPieces(bus.LongQueue)
}

// Reporting says that a report of the session is not complete.
func (s *Session) Reporting() bool { return s.report != nil }

func (s *Session) begins(r *report) {
	s.report = r
	s.Continue()
}

// Continue makes the next piece of the session's report. Pump must follow.
func (s *Session) Continue() {
	r, made := s.report, 0
	for ; r.next(); made++ {
		r.parts++
		r.cut(&s.engine.buffers)
		if s.engine.pieces && made+1 >= PartsPerPiece {
			s.engine.bus.Work(PartsPerPiece * stepsPerPart)
			return
		}
	}
	r.end()
	s.report = nil
	at := s.begin(r.h, message.OK, 0, len(r.buf))
	if len(r.pieces) == 0 {
		s.out.buf = append(s.out.buf, r.buf...)
		s.end(at, r.parts)
		s.engine.bus.Work(made*stepsPerPart + len(r.buf)/bytesPerStep)
	} else {
		endLong(s, at, r)
		s.engine.bus.Work(made * stepsPerPart)
	}
	s.engine.look(s)
	s.engine.change(s)
}

// pieceBytes is how long the pieces of a long report are, about. So it is neither copied nor does it need much memory in one place,
// which takes long to get.
const pieceBytes = 64 << 10

// cut begins a new piece when one is full.
func (r *report) cut(spare *buffers) {
	if len(r.buf) < pieceBytes {
		return
	}
	r.pieces = append(r.pieces, r.buf)
	r.bytes += len(r.buf)
	if r.buf = spare.take(); cap(r.buf) < pieceBytes {
		r.buf = make([]byte, 0, pieceBytes+pieceBytes/8)
	}
}

// endLong sends a report in pieces behind its header, which begins at that place.
func endLong(s *Session, at int, r *report) {
	s.end(at, r.parts)
	binary.LittleEndian.PutUint32(s.out.buf[at:], uint32(r.bytes+len(r.buf)))
	s.out.follow(append(r.pieces, r.buf))
}

// stepsPerPart is what a part of a report is as work (see bus.Work), and bytesPerStep how much of it is copied in a step.
const (
	stepsPerPart = 24
	bytesPerStep = 512

	// stepsPerPurgePart is how many steps through a long queue are as much work as a part of a report.
	stepsPerPurgePart = bus.LongQueue / PartsPerPiece
)

func (s *Session) dropReport() {
	if s.report != nil {
		for _, p := range s.report.pieces {
			s.engine.buffers.give(p)
		}
		s.report.end()
		s.report = nil
	}
}

// purge answers an Unbind when the last of what it takes out of a long queue is out; a part is so many steps.
func purge(s *Session, h wire.Header) {
	r := &report{h: h, end: func() {}, acts: true}
	r.next = func() bool {
		more := s.engine.bus.PurgeOn(s.ksock, stepsPerPurgePart)
		if more {
			r.parts--
		}
		return more
	}
	s.begins(r)
}

func (s *Session) bindingsReport(h wire.Header, _ []byte) {
	w := s.engine.bus.WalkBindings()
	r := &report{h: h, end: w.End, buf: file.AppendBindingsHeading(nil)}
	r.next = func() bool {
		b, more := w.Next()
		if more {
			r.buf = file.AppendBinding(r.buf, s.engine.number, b)
			r.parts-- // the text has no count
		}
		return more
	}
	s.begins(r)
}

// reportBinds is reportReplierBinds made in pieces, in as many turns as there are bindings to look at.
func (s *Session) reportBinds(h wire.Header) {
	w, old, c := s.engine.bus.BeginBindReport(s.ksock)
	if c != message.OK {
		s.number(h, c, old)
		return
	}
	r := &report{h: h, parts: old, end: w.End}
	r.next = func() bool {
		more := w.Next()
		if more {
			r.parts--
		}
		return more
	}
	s.begins(r)
}

func (s *Session) statsReport(h wire.Header, _ []byte) {
	w := s.engine.bus.Walk()
	r := &report{h: h, end: w.End, buf: file.AppendStatsHeading(nil, s.engine.number, s.engine.bus)}
	r.next = func() bool {
		k := w.Next()
		if k != nil {
			r.buf = file.AppendKsock(r.buf, k, fileOf(k))
			r.parts--
		}
		return k != nil
	}
	s.begins(r)
}

func (s *Session) list(h wire.Header, _ []byte) {
	w := s.engine.bus.Walk()
	r := &report{h: h, end: w.End}
	r.next = func() bool {
		k := w.Next()
		if k != nil {
			r.buf = wire.AppendKsockEntry(r.buf, ksockEntry(k))
		}
		return k != nil
	}
	s.begins(r)
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
		Missed:          uint32(i.Missed),
		MissedHigh:      uint32(i.Missed >> 32),
		Original:        oneIf(i.Owner.Original),
		Strict:          oneIf(i.Strict),
	}
	switch of := k.Tag.(type) {
	case *Session:
		e.Mode, e.Waiting, e.UnsentBytes = of.mode, uint32(of.Waiting()), uint32(len(of.Out())+of.out.bytes)
	case Guest:
		e.Mode = uint32(of.File().Mode)
	}
	return e
}

func party(k *bus.Ksock) wire.Party {
	o := k.Owner()
	return wire.Party{Ksock: uint32(k.ID()), PID: o.PID, UID: o.UID, Program: o.Program}
}

// who refuses a name that no message can have (R1.20), for which there is no answer.
func (s *Session) who(h wire.Header, name []byte) {
	if c := message.CheckName(name); c != message.OK {
		s.named(h, name, false, c)
		return
	}
	replier, listeners := s.engine.bus.Who(string(name))
	first := wire.Party{}
	if replier != nil {
		first = party(replier)
	}
	r := &report{h: h, end: func() {}, buf: wire.AppendParty(nil, first)}
	r.next = func() bool {
		if int(r.parts) == len(listeners) {
			return false
		}
		r.buf = wire.AppendParty(r.buf, party(listeners[r.parts]))
		return true
	}
	s.begins(r)
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
		Repliers:           uint32(i.Repliers),
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
	e.bus.Work(2 * (i.Ksocks + len(e.sessions)))
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
