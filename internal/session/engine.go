// Package session is what one connection may ask of a bus: requests in, results out, as docs/protocol.md tells it. It
// is a state machine over a bus: frames go in, bytes come out, and there is no I/O, clock, lock or goroutine in it.
// Whoever moves the bytes (the daemon's loop, or a bus inside the process) owns it and everything below it.
//
// An Engine is one bus with all its sessions. Most requests are answered at once. Five wait, NextWait, NextReply, Call,
// WaitSent and WaitReadable, and they are the reason for an Engine: what one session does is what another one waits for. After each
// request the Engine retries messages that wait for room and answers waiting requests until nothing more can happen. So
// between two requests nothing that could be answered is left unanswered, and what a client gets depends on the order
// of the requests alone, never on how the bytes of several happened to arrive together.
//
// The exception is a session whose client does not take its results. While it is Busy nothing more is moved to it: its
// messages stay in the bus's queue, where they count against its limit, can be unbound, and give GoneAway and not
// Ignored when it dies.
package session

import (
	"strings"
	"unicode"

	"kbus/internal/bus"
	"kbus/internal/file"
	"kbus/internal/wire"
	"kbus/message"
)

// ServerName is what a client is told about the server, for people to read.
const ServerName = "kbusd 1"

// Engine is one bus and its sessions. It is not safe for concurrent use; one goroutine owns it.
type Engine struct {
	number   uint32
	bus      *bus.Bus
	host     file.Host
	sessions []*Session // in no order; each knows its place
	buffers  buffers
	header   message.Header // of the message being sent: here, so that sending allocates nothing
	body     []byte         // the data of that message, if it does not follow the name; see HandleBody
	stopping bool

	federation federation
	permits    func(Peer) bool // who may be a Limpet; nil: everybody
	grant      func(s *Session, wanted uint32) (granted uint32)
	caller     *Session      // whose request is being handled
	ready      [2][]*Session // with a waiting request that may have an answer; the second is being worked through
	stale      [2][]*Session // with a window that does not show what it should; the second is being worked through
	dirty      [2][]*Session // with something to send; the second was handed out by Dirty
}

// NewEngine makes the Engine of bus number. host makes further buses for NewBus; nil refuses that with ErrNotPermitted.
func NewEngine(number uint32, b *bus.Bus, host file.Host) *Engine {
	return &Engine{number: number, bus: b, host: host}
}

// Grant sets who decides which of the features that a Hello wants it gets, while the Hello is handled. Without it there
// are none. Observers get none.
func (e *Engine) Grant(grant func(s *Session, wanted uint32) (granted uint32)) { e.grant = grant }

// Peer is the process at the other end of a connection, as the transport knows it: never as it says itself.
type Peer struct {
	UID, PID uint32
	Program  string // for reports: cut at wire.MaxProgramBytes, and what is not printable is shown as "?"
}

// Connect makes the session of a new connection. There is no Ksock until its Hello. It must be ended by Disconnect.
func (e *Engine) Connect(p Peer) *Session {
	p.Program = Printable(p.Program)
	s := &Session{engine: e, peer: p, index: len(e.sessions)}
	s.out.spare = &e.buffers
	e.sessions = append(e.sessions, s)
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
	last := len(e.sessions) - 1
	e.sessions[s.index] = e.sessions[last]
	e.sessions[s.index].index = s.index
	e.sessions[last] = nil
	e.sessions = e.sessions[:last]
	s.out.drop()
	e.federation.forget(s)
	if s.ksock != nil {
		e.bus.Close(s.ksock)
		s.ksock.Tag = nil
	}
	if e.federation.federator == s {
		e.unfederate()
	}
	e.Settle()
}

// Dirty gives the sessions that have had something added to Out since the last call, each once, other than by their own
// Handle: whoever called that looks at Out anyway. The slice is valid until the next call.
func (e *Engine) Dirty() []*Session {
	told := e.dirty[1]
	clear(told)
	e.dirty[0], e.dirty[1] = told[:0], e.dirty[0]
	list := e.dirty[1][:0]
	for _, s := range e.dirty[1] {
		s.dirty = false
		if !s.closed {
			list = append(list, s)
		}
	}
	clear(e.dirty[1][len(list):])
	e.dirty[1] = list
	return list
}

// touched notes that s has something to send.
func (e *Engine) touched(s *Session) {
	if s != e.caller && !s.dirty {
		s.dirty = true
		e.dirty[0] = append(e.dirty[0], s)
	}
}
