package session

import (
	"kbus/internal/wire"
	"kbus/message"
)

// HandleBody is Handle for SendMessage and Call with a message whose data has been left where it is, apart from its
// header and name, so that the bus copies it from there. Others may still write to it: its length counts, and what it
// says is looked at once, when the bus copies it.
func (s *Session) HandleBody(h wire.Header, head, data []byte) error {
	s.engine.body = data
	err := s.Handle(h, head)
	s.engine.body = nil
	return err
}

// parse reads a payload that is one message, and reports false when it is not.
func (s *Session) parse(payload []byte, h *message.Header) (name, data []byte, ok bool) {
	if data = s.engine.body; data != nil {
		name, ok = wire.ParseSplit(payload, data, h)
		return name, data, ok
	}
	name, data, rest, ok := wire.ParseMessage(payload, h)
	return name, data, ok && len(rest) == 0
}

// Mode is what the session was opened for: wire.ModeRead and wire.ModeWrite.
func (s *Session) Mode() uint32 { return s.mode }
