// Package session is what one connection may ask of a bus: requests in, results out, as docs/protocol.md describes. It
// is a state machine over a bus: frames go in, bytes come out, and there is no I/O, clock, lock or goroutine in it. The
// code that moves the bytes (the daemon's loop, or a bus inside the process) owns it and everything below it.
//
// An Engine is one bus with all its sessions. Most requests are answered at once. Five wait, NextWait, NextReply, Call,
// WaitSent and WaitReadable, and they are the reason for an Engine: one session waits for what another one does. After
// each request the Engine retries messages that wait for room and answers waiting requests until nothing more can
// happen. So between two requests nothing that could be answered is left unanswered, and a client's results depend on
// the order of the requests alone, never on how the bytes of several happened to arrive together.
//
// The exception is a session whose client does not take its results. While it is Busy nothing more is moved to it: its
// messages stay in the bus's queue, where they count against its limit, can be unbound, and give GoneAway and not
// Ignored when it dies.
package session

import (
	"strings"
	"unicode"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/version"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// ServerName is the name of the server in the answer to Hello, for people to read.
const ServerName = "kbusd " + version.Number

// Engine is one bus and its sessions. It is not safe for concurrent use; one goroutine owns it.
type Engine struct {
	number   uint32
	bus      *bus.Bus
	server   string // our name for clients
	buffers  buffers
	header   message.Header // of the message being sent: here, so that sending allocates nothing
	stopping bool
	pieces   bool // see InPieces

	taps       taps
	federation federation
	owner
	lists
}

// owner is what the owner of the Engine decides, and knows.
type owner struct {
	host    file.Host
	permits func(Peer) bool // which clients may be Limpets; nil: all
	explain func(message.Condition) string
	grant   func(s *Session, wanted uint32) (granted uint32)
}

// NewEngine makes the Engine of bus number. host makes further buses for NewBus; nil refuses that with ErrNotPermitted.
func NewEngine(number uint32, b *bus.Bus, host file.Host) *Engine {
	return &Engine{number: number, bus: b, owner: owner{host: host}, server: ServerName}
}

// Grant sets the function that decides, while a Hello is handled, which of the features it wants it gets. Without it
// there are none. Observers get none.
func (o *owner) Grant(grant func(s *Session, wanted uint32) (granted uint32)) { o.grant = grant }

// Explain sets a function that says more about a condition than the bus can, for people; it gives "" when it knows
// nothing.
func (o *owner) Explain(explain func(message.Condition) string) { o.explain = explain }

// Peer is the process at the other end of a connection, as the transport knows it: never as it says itself.
type Peer struct {
	UID, GID, PID uint32
	Administrator bool   // of the whole bus, as the owner of the Engine sees it
	MayTap        bool   // and see everything that is said there
	Judge         Judge  // what it may do on a bus with rules; nil: everything
	Program       string // for reports: cut at wire.MaxProgramBytes, and what is not printable is shown as "?"
}

// Connect makes the session of a new connection. There is no Ksock until its Hello. It must be ended by Disconnect.
func (e *Engine) Connect(p Peer) *Session {
	p.Program = Printable(p.Program)
	s := &Session{engine: e, peer: p}
	s.out.spare = &e.buffers
	e.enter(s)
	return s
}

// Printable makes a name that any process may choose fit to be shown on a terminal.
func Printable(program string) string {
	program = program[:min(len(program), wire.MaxProgramBytes)]
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, program)
}

// Disconnect ends a session and closes its Ksock (R6.7). What it has not sent is lost; its waiting requests get no
// answer. The session must not be used afterwards, except that a second Disconnect does nothing.
func (e *Engine) Disconnect(s *Session) {
	if s.closed {
		return
	}
	s.closed = true
	e.leave(s)
	s.out.drop()
	s.dropReport()
	e.endTap(s)
	e.federation.forget(s)
	if s.ksock != nil {
		e.bus.Close(s.ksock)
		s.ksock.Tag = nil
	}
	if e.federation.federator == s {
		e.unfederate()
	}
	e.Pump()
}
