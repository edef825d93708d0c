package session

import (
	"fmt"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/card"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Cards. The bus keeps them as bytes; that they are what they should be is looked at here, so that whoever reads one can rely
// on it.

// describe attaches a card. The argument is the length of the name, which the card follows.
func describe(s *Session, h wire.Header, payload []byte) {
	if uint64(h.Arg) > uint64(len(payload)) {
		s.violate(h, "the name is longer than the payload")
		return
	}
	name, text := payload[:h.Arg], payload[h.Arg:]
	s.engine.bus.Work(len(text) * stepsPerCardByte)
	if len(name) > message.MaxNameBytes {
		s.named(h, name, true, message.ErrNameTooLong)
		return
	}
	if len(text) > message.MaxCardBytes {
		tooLong(s, h)
		return
	}
	if len(text) > 0 {
		c, err := card.Parse(text)
		if err != nil {
			s.fail(h, message.ErrMalformed, err.Error())
			return
		}
		if text = c.JSON(); len(text) > message.MaxCardBytes { // some letters are longer there
			tooLong(s, h)
			return
		}
	}
	s.named(h, name, true, bus.Describe(s.engine.bus, s.ksock, string(name), text))
}

func tooLong(s *Session, h wire.Header) {
	s.fail(h, message.ErrMessageTooLong, fmt.Sprintf("a card has %d bytes at most, and there is no setting for that", message.MaxCardBytes))
}

// stepsPerCardByte is what it is, as work (see bus.Work), to read a byte of a card: it is gone through several times.
const stepsPerCardByte = 4

// cardOf gives the card of a name.
func cardOf(s *Session, h wire.Header, name []byte) {
	if c := message.CheckBinding(name); c != message.OK {
		s.named(h, name, true, c)
		return
	}
	text := bus.CardOf(s.engine.bus, string(name))
	at := s.begin(h, message.OK, 0, len(text))
	s.out.buf = append(s.out.buf, text...)
	s.end(at, 0)
}
