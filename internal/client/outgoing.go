package client

import (
	"encoding/binary"
	"fmt"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Asking: a Question becomes a frame, and the caller sends what it can of the frames that there are. The data of a large
// message, most of its frame, is not copied among them first if the link can take a frame in two parts: then it stands
// beside them, for the caller to send before it does anything else.

type outgoing struct {
	frames    []byte // that the link has not taken yet
	body      []byte // the end of the last of them, which is still the sender's
	inTwo     bool   // the link takes a frame in two parts
	deaf      bool   // the other end takes no more; what it has sent can still be received
	hurry     bool
	nameBytes []byte // of the message that becomes a frame
}

// largeBody is from which length on data is worth a part of its own.
const largeBody = 8 << 10

// keptBytes is how large a buffer may be to be kept for the next message.
const keptBytes = 1 << 20

// firstSeq is the number of the first question, the Hello.
const firstSeq = 1

// SendsInTwo says that the link takes a frame in two parts.
func (o *outgoing) SendsInTwo(can bool) { o.inTwo = can }

// Start makes a Question a frame. If it cannot travel, the condition says why, as the bus would; Said may say more.
func (c *Core) Start(q *Question) message.Condition {
	if c.ended != message.OK {
		return c.ended
	}
	if condition := c.check(q); condition != message.OK {
		if q.Message != nil {
			q.Reason = c.Unfit(q.Message, condition)
		}
		return condition
	}
	q.seq = c.nextSeq()
	c.waiting[q.seq] = q
	c.copyBody()
	h := wire.Header{Op: q.Op, Flags: q.Flags, Seq: q.seq, Arg: q.Arg}
	switch {
	case q.Message != nil:
		q.Request = q.Message.IsRequest() && q.Op != wire.OpSendToListeners
		c.appendMessage(h, q.Message)
		return message.OK
	case q.Op == wire.OpSend: // whatever has been written
		c.piped.patient++
	}
	at := len(c.outgoing.frames)
	b := wire.AppendHeader(c.outgoing.frames, h)
	if q.Op == wire.OpNextReply {
		b = wire.AppendID(b, q.ID)
	} else {
		b = append(append(b, q.Text...), q.Bytes...)
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-wire.HeaderBytes))
	c.outgoing.frames = b
	return message.OK
}

// startOrphan asks what nobody waits for. It cannot fail: it is no message, and the connection lasts.
func (c *Core) startOrphan(q *Question) {
	q.orphan = true
	if condition := c.Start(q); condition != message.OK {
		panic(fmt.Sprintf("%v cannot be asked: %v", q.Op, condition))
	}
}

func (a *questions) nextSeq() uint32 {
	if a.seq++; a.seq == 0 { // 0 is for events
		a.seq = firstSeq
	}
	return a.seq
}

// appendMessage makes a message a frame.
func (c *Core) appendMessage(h wire.Header, m *message.Message) {
	if m.IsRequest() && h.Op != wire.OpSendToListeners {
		c.asked.unknown++
	}
	if m.Flags.Has(message.AllOrWait) {
		c.piped.patient++
	}
	h.PayloadBytes = uint32(wire.MessageBytes(len(m.Name), len(m.Data)))
	o := &c.outgoing
	o.nameBytes = append(o.nameBytes[:0], m.Name...)
	if c.marks.Trace && (m.Trace != nil || m.Flags.Has(message.TraceMark)) {
		appendTraced(o, h, m)
		return
	}
	o.frames = wire.AppendHead(wire.AppendHeader(o.frames, h), &m.Header, o.nameBytes, len(m.Data))
	if o.inTwo && !o.deaf && len(m.Data) >= largeBody {
		o.body = m.Data
	} else {
		o.frames = append(o.frames, m.Data...)
	}
}

// appendTraced is appendMessage for a message whose trace context follows its data, or that has the mark and no trace context.
func appendTraced(o *outgoing, h wire.Header, m *message.Message) {
	head := m.Header
	trace := message.AppendTrace(nil, m.Trace)
	wire.MarkTrace(&head, trace)
	h.PayloadBytes += uint32(len(trace))
	o.frames = wire.AppendHead(wire.AppendHeader(o.frames, h), &head, o.nameBytes, len(m.Data))
	o.frames = append(append(o.frames, m.Data...), trace...)
}

// copyBody is for a body that was not sent before the next frame came.
func (o *outgoing) copyBody() {
	if o.body != nil {
		o.frames, o.body = append(o.frames, o.body...), nil
	}
}

// check refuses what would not fit into a frame, with the condition that the bus would give: a longer frame would end
// the connection.
func (t *terms) check(q *Question) message.Condition {
	switch {
	case q.Message != nil:
		return t.CheckMessage(q.Message)
	case len(q.Text) > int(wire.MaxRequestBytes(t.AbsMaxMessageBytes)):
		return message.ErrNameTooLong
	}
	return message.OK
}

// CheckMessage is that for a message.
func (t *terms) CheckMessage(m *message.Message) message.Condition {
	most := int(wire.MaxRequestBytes(t.AbsMaxMessageBytes))
	switch {
	case len(m.Name) > most:
		return message.ErrNameTooLong
	case wire.MessageBytes(len(m.Name), len(m.Data)) > most:
		return message.ErrMessageTooLong
	}
	c, _ := m.Trace.Fault()
	return c
}

// Unfit says of a message that cannot travel what the bus would.
func (t *terms) Unfit(m *message.Message, c message.Condition) string {
	if why, text := m.Trace.Fault(); why == c {
		return text
	}
	if c != message.ErrMessageTooLong {
		return ""
	}
	return fmt.Sprintf("it has %d bytes, and no message may have more than %d, settings limits.message-bytes and limits.message-bytes-ceiling",
		message.EntireLen(uint32(len(m.Name)), uint32(len(m.Data))), t.AbsMaxMessageBytes)
}

// Out is what is to be sent: frames, and then body, which is nil but for a large message that has just been started. Both
// are good until the next call of the Core, and body belongs to the message.
func (o *outgoing) Out() (frames, body []byte) {
	if o.deaf {
		o.frames = o.frames[:0]
	}
	return o.frames, o.body
}

// Unsent reports whether there is something to send.
func (o *outgoing) Unsent() bool { return len(o.frames) > 0 }

// Hurry reports whether something is to be sent that nobody else will send, and forgets it.
func (o *outgoing) Hurry() bool {
	hurry := o.hurry
	o.hurry = false
	return hurry
}

// SentBytes says how much of Out the link has taken. The rest of a body is copied.
func (o *outgoing) SentBytes(n int) {
	switch body := o.body; {
	case body == nil:
		o.frames = o.frames[:copy(o.frames, o.frames[n:])]
	case n < len(o.frames):
		o.frames = append(o.frames[:copy(o.frames, o.frames[n:])], body...)
	default:
		o.frames = append(o.frames[:0], body[n-len(o.frames):]...)
	}
	if o.body = nil; len(o.frames) == 0 && cap(o.frames) > keptBytes {
		o.frames = nil
	}
}

// Deaf says that the link takes nothing any more.
func (o *outgoing) Deaf() { o.deaf, o.frames, o.body = true, o.frames[:0], nil }

// Cancel tells the bus that a Question is given up. It answers at once: with what was asked for, if that had come in the
// meantime, so that nothing is lost between the two.
func (c *Core) Cancel(q *Question) {
	if q.Pointless = false; c.ended != message.OK || !q.waits() {
		return
	}
	q.canceling = true
	op := wire.OpCancel
	if q.Op == wire.OpCall && !c.options.KeepLate {
		op = wire.OpGiveUp
	}
	cancel := c.Question(op)
	cancel.Arg = q.seq
	c.startOrphan(cancel)
}
