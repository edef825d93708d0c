package session

import (
	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// Sending whole messages. The payload is parsed where it lies and the bus copies name and data once, to where all
// recipients will share them. The checks are those that write and SEND make of an entire message, in their order
// (R3.57, R2.11, R1.20); what has no byte form here (guards, pointers, padding) cannot be wrong.

func (s *Session) sendMessage(h wire.Header, payload []byte) {
	if o, ok := s.submit(h, payload, (*bus.Bus).Send); ok {
		s.outcome(h, o)
	}
}

// call sends a Request and waits for what answers it. A Request that has to wait for room waits here too: however that
// ends, a Reply or Status comes.
func (s *Session) call(h wire.Header, payload []byte) {
	if len(s.calls) >= MaxWaiting {
		s.refuse(h, message.ErrNoMemory, limitText)
		return
	}
	o, ok := s.submit(h, payload, (*bus.Bus).Send)
	switch {
	case !ok:
	case o.Err == message.OK || o.Err == message.ErrPending:
		s.calls = append(s.calls, call{op: h.Op, seq: h.Seq, request: o.ID})
	default:
		s.outcome(h, o)
	}
}

// sender is bus.Send or bus.SendToListeners.
type sender = func(*bus.Bus, *bus.Ksock, *message.Header, []byte, []byte) bus.Outcome

// submit sends the message in payload. It reports false when there is no message, and the connection ends.
func (s *Session) submit(h wire.Header, payload []byte, send sender) (bus.Outcome, bool) {
	b, head := s.engine.bus, &s.engine.header
	name, data, ok := s.parse(payload, head)
	if !ok {
		s.violate(h, "the payload is not one message")
		return bus.Outcome{}, false
	}
	if s.ksock.Sending() {
		return bus.Outcome{Err: message.ErrStillSending}, true
	}
	if h.Op == wire.OpCall && !head.IsRequest() {
		return bus.Outcome{Err: message.ErrMalformed}, true
	}
	if c := checkForm(head, name, data, b.MaxMessageBytes()); c != message.OK {
		return bus.Outcome{Err: c}, true
	}
	return send(b, s.ksock, head, name, data), true
}

// checkForm applies R2.11 in its order, and R1.20, to a message that never had guards or pointers.
func checkForm(h *message.Header, name, data []byte, maxMessageBytes uint32) message.Condition {
	switch {
	case len(name) == 0:
		return message.ErrMalformed
	case len(name) > message.MaxNameBytes:
		return message.ErrNameTooLong
	}
	if c := message.CheckLimits(h.Flags, uint32(len(name)), uint32(len(data)), maxMessageBytes); c != message.OK {
		return c
	}
	return message.CheckName(name)
}

// outcome answers a send. A message that waits has its id too (R3.67).
func (s *Session) outcome(h wire.Header, o bus.Outcome) {
	if o.Err != message.OK && o.Err != message.ErrPending {
		s.result(h, o.Err, 0)
		return
	}
	at := s.begin(h, o.Err, 0, wire.SentBytes)
	s.out.buf = wire.AppendSent(s.out.buf, wire.Sent{ID: o.ID, Reached: o.Reached, Skipped: o.Skipped})
	s.end(at, 0)
}

func (s *Session) resend(h wire.Header, _ []byte) {
	waiting := s.pendingCall()
	o := s.engine.bus.Resend(s.ksock)
	s.outcome(h, o)
	s.dropped(waiting, o.Err)
}

func (s *Session) discard(h wire.Header, _ []byte) {
	waiting := s.pendingCall()
	s.engine.bus.Discard(s.ksock)
	if s.file != nil {
		s.file.Discard()
	}
	s.result(h, message.OK, 0)
	s.dropped(waiting, message.ErrCanceled)
}

// pendingCall is the index of the Call whose Request waits for room, or -1. There is at most one such Request, and it
// is the one last sent.
func (s *Session) pendingCall() int {
	if s.ksock.Sending() {
		id := s.engine.bus.LastSent(s.ksock)
		for i := len(s.calls) - 1; i >= 0; i-- {
			if s.calls[i].op == wire.OpCall && s.calls[i].request == id {
				return i
			}
		}
	}
	return -1
}

// dropped follows whatever may have ended a message's waiting for room. A Call whose Request was dropped by another
// request of the same client is answered: no Status comes for it (R5.10), so nothing else would.
func (s *Session) dropped(waiting int, c message.Condition) {
	if waiting >= 0 && c != message.OK && c != message.ErrPending {
		s.giveUp(waiting, c)
	}
	s.engine.look(s)
}
