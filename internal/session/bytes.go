package session

import (
	"slices"

	"kbus/internal/file"
	"kbus/internal/wire"
	"kbus/message"
)

// The byte-wise view, for clients that play a device: the same File that stands behind /dev/kbusN, made when it is
// first used. It shares the Ksock with the whole-message operations. There is no memory of the client to follow, so
// the pointy form is refused when it is sent (ErrBadAddress).

func (s *Session) bytes() *file.File {
	if s.file == nil {
		s.file = file.New(s.engine.bus, s.ksock, file.Mode(s.mode))
	}
	return s.file
}

// HeldBytes is what the message being written and the one being read take, for whoever limits memory.
func (s *Session) HeldBytes() int64 {
	if s.file == nil {
		return 0
	}
	return s.file.HeldBytes()
}

func (s *Session) write(h wire.Header, payload []byte) {
	n, c := s.bytes().Write(payload)
	s.result(h, c, uint32(n))
}

func (s *Session) send(h wire.Header, _ []byte) {
	waiting := s.pendingCall()
	o := s.bytes().Send(nil)
	s.outcome(h, o)
	s.dropped(waiting, o.Err)
}

func (s *Session) nextMsg(h wire.Header, _ []byte) {
	s.result(h, message.OK, s.bytes().Next())
}

func (s *Session) lenLeft(h wire.Header, _ []byte) {
	s.result(h, message.OK, s.bytes().LenLeft())
}

// read answers with up to h.Arg bytes, read straight into the output.
func (s *Session) read(h wire.Header, _ []byte) {
	f := s.bytes()
	most := int(min(h.Arg, f.LenLeft()))
	at := s.begin(h, message.OK, 0, most)
	s.out.buf = slices.Grow(s.out.buf, most)
	start := len(s.out.buf)
	n, c := f.Read(s.out.buf[start : start+most])
	if c != message.OK {
		panic("session: read of a message that is there: " + c.Name())
	}
	s.out.buf = s.out.buf[:start+n]
	s.end(at, uint32(n))
}
