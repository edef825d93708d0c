package session

import (
	"encoding/binary"

	"kbus/internal/bus"
	"kbus/internal/file"
	"kbus/internal/wire"
	"kbus/message"
)

// Session is one connection: at most one Ksock, its results on their way out, and its waiting requests.
type Session struct {
	Tag any // for whoever moves the bytes; the Engine never looks at it

	engine  *Engine
	peer    Peer
	index   int        // in engine.sessions
	ksock   *bus.Ksock // nil before Hello, and for an observer
	file    *file.File // the byte-wise view; nil until it is used
	mode    uint32     // wire.ModeRead and wire.ModeWrite
	greeted bool
	closed  bool
	ended   error // why no more requests are taken

	window Window // nil: the client asks for each message

	out   output
	eager bool // something in out is not lazy
	dirty bool // in engine.dirty
	ready bool // in engine.ready
	stale bool // in engine.stale

	nexts     nexts  // NextWait
	calls     []call // Call, and NextReply that waits
	sents     []uint32
	claims    []uint32 // NextClaim
	readables []uint32 // WaitReadable
	binds     int      // Binds that wait for the federator
}

// Handle performs one request. h.PayloadBytes is not looked at; payload may be overwritten as soon as Handle returns.
// It must not be called while the session is Busy. Windows are not brought up to date by it: Settle must follow, once
// for any number of requests, before anything that they have brought is sent to anybody.
//
// An error ends the session: a *Refusal of its Hello, or a *Violation of the protocol. Out may then hold a last word
// for the client; after one attempt to send it the caller must Disconnect. Further requests get the same error.
func (s *Session) Handle(h wire.Header, payload []byte) error {
	if s.ended != nil {
		return s.ended
	}
	e := s.engine
	e.caller = s
	if s.window != nil { // what its client has taken by itself happened before what it asks now
		e.bus.Settle(s.ksock)
		e.answer()
	}
	s.dispatch(h, payload)
	e.change(s)
	e.answer()
	e.caller = nil
	return s.ended
}

// Out is what is to be sent to the client. It is valid until the next call of anything of the Engine or its sessions.
func (s *Session) Out() []byte { return s.out.pending() }

// Sent says that the first n bytes of Out have been sent. Settle must follow, since a session that was Busy may take
// more now.
func (s *Session) Sent(n int) {
	busy := s.Busy()
	s.out.advance(n)
	if len(s.Out()) == 0 {
		s.eager = false
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
func (s *Session) Lazy() bool { return !s.eager && len(s.Out()) < lazyBytes && s.Waiting() > 0 }

// Eager reports whether something in Out is not lazy.
func (s *Session) Eager() bool { return s.eager }

// Busy reports whether so much waits to be sent that no more requests should be taken from the client.
func (s *Session) Busy() bool { return len(s.Out()) >= busyBytes }

// Waiting counts the requests that wait for an answer.
func (s *Session) Waiting() int {
	return s.nexts.len() + len(s.calls) + len(s.sents) + len(s.readables) + len(s.claims) + s.binds
}

// begin starts the result of request h, whose payload will have about n bytes. The payload is appended to s.out.buf,
// and end closes it.
func (s *Session) begin(h wire.Header, c message.Condition, arg uint32, n int) (at int) {
	s.out.room(wire.HeaderBytes + n)
	at = len(s.out.buf)
	s.out.buf = wire.AppendHeader(s.out.buf, wire.Header{Op: h.Op, Condition: c, Seq: h.Seq, Arg: arg})
	if h.Flags&wire.Lazy == 0 || c != message.OK { // whoever was sure that all goes well should hear of it
		s.eager = true
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

// result answers with a condition and a number.
func (s *Session) result(h wire.Header, c message.Condition, arg uint32) { s.begin(h, c, arg, 0) }

// refuse answers with a condition and, for people, a text that says more.
func (s *Session) refuse(h wire.Header, c message.Condition, text string) {
	at := s.begin(h, c, 0, len(text))
	s.out.buf = append(s.out.buf, text...)
	s.end(at, 0)
}
