package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The operations that only Limpets may use: sending here what was sent on another bus, and binding for a Replier there.
// The owner of the Engine says which clients are Limpets.

// Permit sets which clients may be Limpets. Without it all may.
func (o *owner) Permit(permits func(Peer) bool) { o.permits = permits }

func (s *Session) sendToListeners(h wire.Header, payload, data []byte) {
	if c, why := s.mayJoin(); c != message.OK {
		s.fail(h, c, why)
		return
	}
	if o, why, ok := s.submit(h, payload, data, (*bus.Bus).SendToListeners); ok {
		s.outcome(h, o, why)
	}
}

// carry takes the network id of the bus as the argument, and gives its incarnation.
func (s *Session) carry(h wire.Header, _ []byte) {
	if c, why := s.mayJoin(); c != message.OK {
		s.fail(h, c, why)
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
		if c, why := s.mayJoin(); c != message.OK { // it may have been one before new rules
			s.fail(h, c, why)
			return
		}
		s.bound(h, name, s.engine.bus.BindProxy(s.ksock, string(name), of))
	}
}
