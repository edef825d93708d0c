package session

import (
	"fmt"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// agreed is how the two sides talk, as the Hello has it, and what the transport has given after it.
type agreed struct {
	greeted bool
	mode    uint32     // wire.ModeRead and wire.ModeWrite
	marks   wire.Marks // what may follow a message
	runs    bool       // the client wants one result for many, see resultruns.go
	window  bus.Window // nil: the client asks for each message
}

// hello opens the Ksock. The transport has found out which process the client is; a Hello only says how it wants to
// talk. The bus enforces the limits (Open), so nothing is held for a client that is refused.
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
	if why, denied := s.peer.isDenied(Judge.MayOpen); denied {
		s.refuseHello(h, message.ErrDenied, why)
		return
	}
	id := uint32(0)
	if h.Arg != 0 {
		k, c := e.bus.Open(bus.Owner{
			UID: s.peer.UID, GID: s.peer.GID, PID: s.peer.PID, Program: s.peer.Program,
			Administrator: s.peer.Administrator, Judge: s.peer.Judge,
			Original: hello.Features&wire.FeatureOriginal != 0,
		})
		if c != message.OK {
			s.refuseHello(h, c, e.reason(c))
			return
		}
		k.Tag = s
		s.ksock, s.mode, id = k, h.Arg, uint32(k.ID())
	}
	s.greeted = true
	s.marks = wire.MarksOf(hello.Features)
	s.runs = hello.Features&wire.FeatureRuns != 0
	granted := hello.Features & (wire.FeatureOriginal | wire.FeaturesFollowing | wire.FeatureRuns)
	if e.grant != nil && s.ksock != nil && hello.Features != 0 {
		granted |= e.grant(s, hello.Features)
	}
	at := s.begin(h, message.OK, id, 64)
	s.out.buf = wire.AppendWelcome(s.out.buf, wire.Welcome{
		Version:            wire.Version,
		Bus:                e.number,
		Features:           granted,
		AbsMaxMessageBytes: e.bus.Info().AbsMaxMessageBytes,
		Server:             e.server,
	})
	s.end(at, id)
}
