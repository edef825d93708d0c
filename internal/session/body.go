package session

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// HandleBody is Handle for SendMessage and Call with a message whose data has been left where it is, apart from its
// header and name, so that the bus copies it from there. The client can still write to that data: its length counts,
// and its bytes are read once, when the bus copies them.
func (s *Session) HandleBody(h wire.Header, head, data []byte) error {
	return s.handle(h, head, data)
}

// parse reads a payload that is one message, whose data may lie apart if nothing follows it, and reports false when it is not. traced is
// whether a trace context may follow. What a reader has missed is nothing that a sender says, so that mark is a flag of its own.
func parse(payload, apart []byte, h *message.Header, traced bool) (name, data, trace []byte, ok bool) {
	var rest []byte
	if apart != nil {
		name, ok = wire.ParseSplit(payload, apart, h)
		data = apart
	} else {
		name, data, rest, ok = wire.ParseMessage(payload, h)
	}
	if ok && traced {
		trace, rest, ok = wire.CutTrace(h, rest)
	}
	return name, data, trace, ok && len(rest) == 0
}

// Mode is what the session was opened for: wire.ModeRead and wire.ModeWrite.
func (s *Session) Mode() uint32 { return s.mode }
