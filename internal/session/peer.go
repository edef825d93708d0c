package session

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// peerOf gives the process behind a Ksock: of an open one, of one that has closed as long as something of it is queued,
// open or was just taken, and of those that have closed last. An observer may ask too, since reports show the same.
func (s *Session) peerOf(h wire.Header, _ []byte) {
	o, open, known := s.engine.bus.Peer(message.KsockID(h.Arg))
	if !known {
		s.result(h, message.ErrUnknownKsock, 0)
		return
	}
	at := s.begin(h, message.OK, h.Arg, len(o.Program)+16)
	s.out.buf = wire.AppendPeer(s.out.buf, wire.Peer{
		UID: o.UID, GID: o.GID, PID: o.PID, Connected: open, Program: o.Program,
	})
	s.end(at, h.Arg)
}
