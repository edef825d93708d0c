package session

import (
	"fmt"

	"kbus/internal/wire"
	"kbus/message"
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
	if r.Text != "" {
		return "hello refused: " + r.Text
	}
	return "hello refused: " + r.Condition.Error()
}

// Unwrap gives the condition.
func (r *Refusal) Unwrap() error { return r.Condition }

func (s *Session) violate(h wire.Header, reason string) {
	s.ended = &Violation{h.Op, reason}
	if s.greeted {
		s.refuse(wire.Header{Op: h.Op, Seq: h.Seq}, message.ErrMalformed, reason)
	}
}

func (s *Session) refuseHello(h wire.Header, c message.Condition, text string) {
	s.ended = &Refusal{c, text}
	s.refuse(wire.Header{Op: h.Op, Seq: h.Seq}, c, text)
}
