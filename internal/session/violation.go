package session

import (
	"fmt"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Violation is the error of a client that does not speak the protocol. A client that has said Hello finds the reason in
// a last result, ErrMalformed with a text, so that its programmer can find the mistake; a stranger gets nothing.
type Violation struct {
	Op     wire.Op
	Reason string
}

// Error gives the operation and what was wrong with it.
func (v *Violation) Error() string {
	return fmt.Sprintf("protocol violation in %v: %s", v.Op, v.Reason)
}

// Refusal is the error of a Hello that was understood and refused: the limits ErrUserConnections and ErrBusConnections,
// ErrStopping, ErrWrongMode for an unknown mode, ErrUnknownOperation for versions that are not spoken here.
type Refusal struct {
	Condition message.Condition
	Text      string // says more; may be empty
}

// Error says why.
func (r *Refusal) Error() string {
	text := "hello refused: " + r.Condition.Error()
	if r.Text != "" {
		text += ": " + r.Text
	}
	return text
}

// Unwrap gives the condition.
func (r *Refusal) Unwrap() error { return r.Condition }

func (s *Session) violate(h wire.Header, reason string) {
	s.ended = &Violation{h.Op, reason}
	if s.greeted {
		s.refuse(wire.Header{Op: h.Op, Seq: h.Seq}, message.ErrMalformed, reason)
	}
}

// LastWord answers the request that the client loses its connection over: one whose report is being made, else the one that begun
// is the beginning of. Without either, or before a Hello, there is none to answer.
func LastWord(s *Session, begun []byte, c message.Condition, text string) {
	var h wire.Header
	switch {
	case !s.greeted || s.ended != nil:
		return
	case s.report != nil:
		h = s.report.h
		s.dropReport()
	case len(begun) >= wire.HeaderBytes:
		h = wire.ParseHeader(begun)
	default:
		return
	}
	s.ended = &Refusal{c, text}
	s.refuse(h, c, text)
}

func (s *Session) refuseHello(h wire.Header, c message.Condition, text string) {
	s.ended = &Refusal{c, text}
	s.refuse(wire.Header{Op: h.Op, Seq: h.Seq}, c, text)
}
