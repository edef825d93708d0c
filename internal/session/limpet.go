package session

import (
	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// What a Limpet may do beside what everybody may: say again here what was said on another bus, and stand for a Replier
// there. Who is a Limpet is for whoever owns the Engine.

// Permit sets who may be a Limpet. Without it everybody may.
func (e *Engine) Permit(permits func(Peer) bool) { e.permits = permits }

func (s *Session) mayJoin() bool {
	permits := s.engine.permits
	return permits == nil || permits(s.peer)
}

func (s *Session) sendToListeners(h wire.Header, payload []byte) {
	if !s.mayJoin() {
		s.result(h, message.ErrNotPermitted, 0)
		return
	}
	if o, ok := s.submit(h, payload, (*bus.Bus).SendToListeners); ok {
		s.outcome(h, o)
	}
}

// carry takes the network id of the bus as the argument, and gives its incarnation.
func (s *Session) carry(h wire.Header, _ []byte) {
	if !s.mayJoin() {
		s.result(h, message.ErrNotPermitted, 0)
		return
	}
	incarnation, c := s.engine.bus.Carry(s.ksock, h.Arg)
	s.number(h, c, incarnation)
}

func (s *Session) bindProxy(h wire.Header, payload []byte) {
	of, name, ok := wire.ParseProxy(payload)
	switch {
	case !ok:
		s.result(h, message.ErrMalformed, 0)
	case len(name) > message.MaxNameBytes:
		s.result(h, message.ErrNameTooLong, 0)
	default:
		s.bound(h, s.engine.bus.BindProxy(s.ksock, string(name), of))
	}
}
