package session

import (
	"bytes"
	"fmt"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Sending whole messages. The payload is parsed where it lies and the bus copies name and data once, to where all
// recipients will share them. The checks are those that write and SEND make of an entire message, in their order
// (R3.57, R2.11, R1.20); what has no byte form here (guards, pointers, padding) cannot be wrong.

func (s *Session) sendMessage(h wire.Header, payload, data []byte) {
	if o, why, ok := s.submit(h, payload, data, bus.SendTraced); ok {
		s.outcome(h, o, why)
	}
}

// call sends a Request and waits for what answers it. A Request that has to wait for room waits here too: however that
// ends, a Reply or Status comes.
func (s *Session) call(h wire.Header, payload, data []byte) {
	if len(s.calls) >= MaxWaiting {
		s.refuse(h, message.ErrNoMemory, limitText)
		return
	}
	if len(s.calls) == 0 {
		s.engine.bus.Overlook(s.ksock)
	}
	o, why, ok := s.submit(h, payload, data, bus.SendTraced)
	switch {
	case !ok:
	case o.Err == message.OK || o.Err == message.ErrPending:
		s.calls = append(s.calls, call{op: h.Op, seq: h.Seq, request: o.ID})
	default:
		s.outcome(h, o, why)
	}
}

// sender is bus.SendTraced or bus.SendToListeners.
type sender = func(b *bus.Bus, k *bus.Ksock, h *message.Header, name, data, trace []byte) bus.Outcome

// submit sends the message in payload, whose data may lie apart. why says more about what is wrong with it. It reports
// false when there is no message, and the connection ends.
func (s *Session) submit(h wire.Header, payload, apart []byte, send sender) (o bus.Outcome, why string, ok bool) {
	b, head := s.engine.bus, &s.engine.header
	name, data, trace, ok := parse(payload, apart, head, s.marks.Trace)
	if !ok {
		s.violate(h, "the payload is not one message")
		return o, "", false
	}
	c := message.OK
	switch {
	case s.ksock.Sending():
		c = message.ErrStillSending
	case h.Op == wire.OpCall && !head.IsRequest():
		c = message.ErrMalformed
	default:
		if c = s.checkForm(head, name, data); c != message.OK {
			why = formFault(s, name, data, c)
		} else {
			c, why = message.TraceFault(trace)
		}
	}
	if c != message.OK {
		if len(s.engine.taps.sessions) > 0 {
			bus.ShowRefused(b, s.ksock, head, shownName(name), len(data), c)
		}
		return bus.Outcome{Err: c}, why, true
	}
	return send(b, s.ksock, head, name, data, trace), "", true
}

// formFault says in words what is wrong with the form of a message.
func formFault(s *Session, name, data []byte, c message.Condition) string {
	if c != message.ErrMessageTooLong {
		return s.faultOf(name, false, c)
	}
	size, settings := message.EntireLen(uint32(len(name)), uint32(len(data))), "setting limits.message-bytes"
	if most, _ := s.engine.bus.SetMaxMessageBytes(s.ksock, askCeiling); size > uint64(most) { // with that alone it would not do
		settings = "settings limits.message-bytes and limits.message-bytes-ceiling"
	}
	return fmt.Sprintf("it has %d bytes, %d are the most, %s", size, s.engine.bus.MaxMessageBytes(), settings)
}

// shownName is what a tap is shown of a name that nobody has checked: no more than a name has, and nothing but printable ASCII,
// for who looks takes it for a name.
func shownName(name []byte) []byte {
	name = bytes.Clone(name[:min(len(name), message.MaxNameBytes)])
	for i, c := range name {
		if c < ' ' || c > '~' {
			name[i] = '?'
		}
	}
	return name
}

// askCeiling sets nothing: it asks how large the maximum size may be set.
const askCeiling = 1

// checkForm applies R2.11 in its order, and R1.20, to a message that never had guards or pointers.
func (s *Session) checkForm(h *message.Header, name, data []byte) message.Condition {
	switch {
	case len(name) == 0:
		return message.ErrMalformed
	case len(name) > message.MaxNameBytes:
		return message.ErrNameTooLong
	}
	most := s.engine.bus.MaxMessageBytes()
	if c := message.CheckLimits(h.Flags, uint32(len(name)), uint32(len(data)), most); c != message.OK {
		return c
	}
	if s.ksock.KnowsName(name) {
		return message.OK
	}
	return s.ksock.CheckName(name)
}

// outcome answers a send; why may say more about a failure. A message that waits has its id too (R3.67).
func (s *Session) outcome(h wire.Header, o bus.Outcome, why string) {
	if o.Err != message.OK && o.Err != message.ErrPending {
		s.fail(h, o.Err, why)
		return
	}
	inRun := s.runs && runs(h, &o)
	if inRun && s.prolong(h, &o) {
		return
	}
	at := s.begin(h, o.Err, 0, wire.SentBytes)
	s.out.buf = wire.AppendSent(s.out.buf, wire.Sent{ID: o.ID, Reached: o.Reached, Skipped: o.Skipped})
	s.end(at, 0)
	if inRun {
		s.startRun(at, h, &o)
	}
}

func (s *Session) resend(h wire.Header, _ []byte) {
	waiting := s.pendingCall()
	o := s.engine.bus.Resend(s.ksock)
	s.outcome(h, o, "")
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

// dropped follows each operation that may have ended a message's waiting for room. A Call whose Request was dropped by
// another request of the same client is answered here: no Status comes for it (R5.10), so nothing else would.
func (s *Session) dropped(waiting int, c message.Condition) {
	if waiting >= 0 && c != message.OK && c != message.ErrPending {
		s.giveUp(waiting, c)
	}
	s.engine.look(s)
}
