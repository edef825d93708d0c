package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Receiving whole messages. A message is copied once, from the bus's store to the output, and given back at once.
//
// A request may ask for several messages. It gets what is there, at most until the output is Busy: a client that reads
// as fast as messages come pays one request for a whole batch, and one that does not is not flooded.

func (s *Session) next(h wire.Header, _ []byte) {
	if !s.take(h) {
		s.result(h, message.OK, 0)
	}
}

func (s *Session) nextWait(h wire.Header, _ []byte) {
	if s.nexts.len() >= MaxWaiting {
		s.refuse(h, message.ErrNoMemory, limitText)
		return
	}
	s.nexts.push(next{seq: h.Seq, most: h.Arg})
	s.engine.look(s)
}

// take answers h with up to h.Arg messages (0 means 1), and reports false, answering nothing, when there is none.
func (s *Session) take(h wire.Header) bool {
	b := s.engine.bus
	d, ok := b.Next(s.ksock)
	if !ok {
		return false
	}
	at := s.begin(h, message.OK, 0, wire.MessageBytes(len(d.Name), len(d.Data)))
	n := uint32(0)
	for ok {
		s.append(&d)
		b.Release(&d)
		n++
		if n >= h.Arg || s.Busy() {
			break
		}
		d, ok = b.Next(s.ksock)
	}
	s.end(at, n)
	return true
}

func (s *Session) nextReply(h wire.Header, payload []byte) {
	request, _ := wire.ParseID(payload)
	switch {
	case s.takeReply(h, request):
	case h.Arg == 0:
		s.result(h, message.OK, 0)
	case len(s.calls) >= MaxWaiting:
		s.refuse(h, message.ErrNoMemory, limitText)
	default:
		if len(s.calls) == 0 {
			s.engine.bus.Overlook(s.ksock)
		}
		s.calls = append(s.calls, call{op: h.Op, seq: h.Seq, request: request})
	}
}

// takeReply answers h with the Reply or Status to a Request of ours, and reports false when there is none.
func (s *Session) takeReply(h wire.Header, request message.ID) bool {
	d, ok := s.engine.bus.NextReply(s.ksock, request)
	if !ok {
		return false
	}
	s.reply(h, &d)
	return true
}

// reply answers h with one message.
func (s *Session) reply(h wire.Header, d *bus.Delivery) {
	at := s.begin(h, message.OK, 1, wire.MessageBytes(len(d.Name), len(d.Data)))
	s.append(d)
	s.engine.bus.Release(d)
	s.end(at, 1)
}

// append adds one message to the output, and what follows it for a client that wants to know.
func (s *Session) append(d *bus.Delivery) {
	f := s.marks.Put(&d.Header, d.Missed, d.Trace())
	s.out.buf = f.Append(wire.AppendMessage(s.out.buf, &d.Header, d.Name, d.Data))
}

// missed tells how many messages the Ksock missed before the one taken last, and in all.
func (s *Session) missed(h wire.Header, _ []byte) {
	before, total := s.engine.bus.Missed(s.ksock)
	at := s.begin(h, message.OK, before, wire.MissedTotalBytes)
	s.out.buf = wire.AppendMissedTotal(s.out.buf, total)
	s.end(at, before)
}
