package session

import (
	"slices"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
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

// HeldBytes is what the message being written, the one being read, a report being made and the room of a tap that is still free
// take, and what is to be sent behind Out, for limits on memory. What is in Out is not in it.
func (s *Session) HeldBytes() int64 {
	held := int64(s.out.bytes)
	if r := s.report; r != nil {
		held += int64(cap(r.buf) + r.bytes)
	}
	if s.file != nil {
		held += s.file.HeldBytes()
	}
	if s.tap != nil {
		held += int64(max(0, s.engine.taps.most()-len(s.Out())))
	}
	return held
}

func (s *Session) write(h wire.Header, payload []byte) {
	n, c := s.bytes().Write(payload)
	if c == message.ErrBadName {
		s.fail(h, c, s.file.NameFault())
		return
	}
	s.result(h, c, uint32(n))
}

func (s *Session) send(h wire.Header, _ []byte) {
	waiting := s.pendingCall()
	o := s.bytes().Send(nil)
	s.outcome(h, o, "")
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
