package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// On a bus with rules each connection has a Judge, whom its Ksock shares. The bus asks what it decides; here is asked what
// comes before a Ksock, or without one: to connect, to tap, to be a Limpet.

// Judge is a bus.Judge that answers these as well.
type Judge interface {
	bus.Judge
	MayOpen() bool // connect, with a Ksock or without
	MayTap() bool
	MayJoin() bool // be a Limpet
	Taps() bool    // as MayTap, for one that is a tap already: no is no refusal
}

// isDenied reports whether the answer was no, and why.
func (p *Peer) isDenied(may func(Judge) bool) (why string, denied bool) {
	if j := p.Judge; j != nil && !may(j) {
		return j.Refused(), true
	}
	return "", false
}

// maySee reports whether a tap may be shown an event: a message, if its user may listen to that name.
func (p *Peer) maySee(ev *bus.Event) bool {
	j := p.Judge
	switch {
	case j == nil:
		return true
	case !j.Taps():
		return false
	}
	switch ev.Kind {
	case bus.EventSent, bus.EventStatus, bus.EventTaken:
		return j.MayReceive(ev.Name)
	}
	return true
}

// mayJoin says whether the client may be a Limpet: OK, ErrNotPermitted by the settings, or ErrDenied by a rule and why.
func (s *Session) mayJoin() (c message.Condition, why string) {
	if permits := s.engine.permits; permits != nil && !permits(s.peer) {
		return message.ErrNotPermitted, ""
	}
	if why, denied := s.peer.isDenied(Judge.MayJoin); denied {
		return message.ErrDenied, why
	}
	return message.OK, ""
}
