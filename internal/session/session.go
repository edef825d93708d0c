package session

import (
	"encoding/binary"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Session is one connection: at most one Ksock, its results on their way out, and its waiting requests.
type Session struct {
	Tag any // for the owner of the Engine, which never looks at it

	engine *Engine
	peer   Peer
	ksock  *bus.Ksock // nil before Hello, and for an observer
	file   *file.File // the byte-wise view; nil until it is used
	tap    *tap       // nil: it is none
	report *report    // under way; nil: none
	out    output

	agreed
	waiting
	listed
	ending
}

// ending is how far a session has come to its end.
type ending struct {
	deaf   bool  // see Deafen
	ended  error // why no more requests are taken
	closed bool
}

// Handle performs one request. h.PayloadBytes is not looked at; payload may be overwritten as soon as Handle returns.
// It must not be called while the session is Busy. Windows are not brought up to date by it: Pump must follow, once
// for any number of requests, before anything that they have brought is sent to anybody.
//
// An error ends the session: a *Refusal of its Hello, or a *Violation of the protocol. Out may then hold a last word
// for the client; after one attempt to send it the caller must Disconnect. Further requests get the same error.
func (s *Session) Handle(h wire.Header, payload []byte) error { return s.handle(h, payload, nil) }

func (s *Session) handle(h wire.Header, payload, data []byte) error {
	if s.ended != nil {
		return s.ended
	}
	e := s.engine
	listed := s.dirty
	s.dirty = true       // so its own results are not in Dirty
	if s.window != nil { // what its client has taken by itself happened before what it asks now
		e.bus.SyncWindow(s.ksock)
		e.answer()
	}
	s.dispatch(h, payload, data)
	e.change(s)
	e.answer()
	s.dirty = listed
	return s.ended
}

// Out is what is to be sent to the client, or the beginning of it. It is valid until the next call of anything of the Engine or its sessions.
func (s *Session) Out() []byte { return s.out.pending() }

// Sent says that the first n bytes of Out have been sent. Pump must follow, since a session that was Busy may take
// more now.
func (s *Session) Sent(n int) {
	busy := s.Busy()
	s.out.advance(n)
	if t := s.tap; t != nil && len(s.Out()) <= s.engine.taps.most()/2 {
		t.full = false
	}
	if len(s.Out()) == 0 {
		s.out.eager = false
		s.reportMissed()
	}
	if busy && !s.Busy() {
		s.engine.look(s)
		s.engine.change(s)
	}
}

// lazyBytes is how much lazy output may pile up.
const lazyBytes = 4 << 10

// Lazy reports whether Out need not be sent now: all of it is lazy, it is little, and the client has a waiting request,
// whose answer will take it along.
func (s *Session) Lazy() bool { return !s.out.eager && len(s.Out()) < lazyBytes && s.Waiting() > 0 }

// Eager reports whether something in Out is not lazy.
func (s *Session) Eager() bool { return s.out.eager }

// Busy reports whether no more requests should be taken from the client: so much waits to be sent, or a report is not
// complete.
func (s *Session) Busy() bool {
	return len(s.Out()) >= busyBytes || s.report != nil || len(s.out.pieces) > 0
}

// Deafen says that the client has gone and will not read its results. What it has sent is still sent, but a request
// whose only effect is its result is not performed.
func (s *Session) Deafen() {
	s.deaf = true
	if s.report != nil && !s.report.acts {
		s.dropReport()
		s.engine.look(s)
	}
}

// begin starts the result of request h, whose payload will have about n bytes. The payload is appended to s.out.buf,
// and end closes it.
func (s *Session) begin(h wire.Header, c message.Condition, arg uint32, n int) (at int) {
	s.out.room(wire.HeaderBytes + n)
	s.out.run.at = -1
	at = len(s.out.buf)
	s.out.buf = wire.AppendHeader(s.out.buf, wire.Header{Op: h.Op, Condition: c, Seq: h.Seq, Arg: arg})
	if h.Flags&wire.Lazy == 0 || c != message.OK { // a client that expected success must learn of it
		s.out.eager = true
	}
	s.engine.touched(s)
	return at
}

// end fills in what is known only when the result that was begun at is complete.
func (s *Session) end(at int, arg uint32) {
	frame := s.out.buf[at:]
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-wire.HeaderBytes))
	binary.LittleEndian.PutUint32(frame[12:], arg)
}

// result answers with a condition and a number. To a failure it adds what more there is to say.
func (s *Session) result(h wire.Header, c message.Condition, arg uint32) {
	if c != message.OK && c != message.ErrPending {
		s.fail(h, c, "")
		return
	}
	s.begin(h, c, arg, 0)
}

// fail answers with a condition that was just found, and with why if that says something: else with what the owner of the
// Engine or the bus can say.
func (s *Session) fail(h wire.Header, c message.Condition, why string) {
	if why == "" {
		why = s.engine.reason(c)
	}
	s.refuse(h, c, why)
}

// reason says more about a condition that was just found.
func (e *Engine) reason(c message.Condition) string {
	if e.explain != nil {
		if why := e.explain(c); why != "" {
			return why
		}
	}
	return e.bus.Why(c)
}

// named answers what is about a name.
func (s *Session) named(h wire.Header, name []byte, binding bool, c message.Condition) {
	if why := s.faultOf(name, binding, c); why != "" {
		s.fail(h, c, why)
		return
	}
	s.result(h, c, 0)
}

// faultOf says what is wrong with a name, if that is what the condition says.
func (s *Session) faultOf(name []byte, binding bool, c message.Condition) string {
	if c != message.ErrBadName && c != message.ErrNameTooLong {
		return ""
	}
	return message.NameFault(name, s.ksock != nil && s.ksock.Owner().Original, binding)
}

// refuse answers with a condition and, for people, a text that says more.
func (s *Session) refuse(h wire.Header, c message.Condition, text string) {
	at := s.begin(h, c, 0, len(text))
	s.out.buf = append(s.out.buf, text...)
	s.end(at, 0)
}
