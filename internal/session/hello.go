package session

import (
	"fmt"

	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// hello opens the Ksock. Whoever the client is was decided by the transport; what it says here is only how it wants to
// talk. Limits are enforced by the bus (Open), so nothing is held for a client that is refused.
func (s *Session) hello(h wire.Header, payload []byte) {
	e := s.engine
	hello, ok := wire.ParseHello(payload)
	switch {
	case s.greeted:
		s.violate(h, "a second Hello")
		return
	case !ok || hello.Lowest > hello.Highest:
		s.violate(h, "not a Hello")
		return
	case hello.Lowest > wire.Version || hello.Highest < wire.Version:
		s.refuseHello(h, message.ErrUnknownOperation, fmt.Sprintf("protocol version %d is spoken here", wire.Version))
		return
	case h.Arg > wire.ModeRead|wire.ModeWrite:
		s.refuseHello(h, message.ErrWrongMode, "unknown mode")
		return
	case e.stopping:
		s.refuseHello(h, message.ErrStopping, "")
		return
	}
	id := uint32(0)
	if h.Arg != 0 {
		k, c := e.bus.Open(bus.Owner{UID: s.peer.UID, PID: s.peer.PID, Program: s.peer.Program})
		if c != message.OK {
			s.refuseHello(h, c, "")
			return
		}
		k.Tag = s
		s.ksock, s.mode, id = k, h.Arg, k.ID()
	}
	s.greeted = true
	granted := uint32(0)
	if e.grant != nil && s.ksock != nil && hello.Features != 0 {
		granted = e.grant(s, hello.Features)
	}
	at := s.begin(h, message.OK, id, 64)
	s.out.buf = wire.AppendWelcome(s.out.buf, wire.Welcome{
		Version:            wire.Version,
		Bus:                e.number,
		Features:           granted,
		AbsMaxMessageBytes: e.bus.Info().AbsMaxMessageBytes,
		Server:             ServerName,
	})
	s.end(at, id)
}
