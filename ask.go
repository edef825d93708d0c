package kbus

import (
	"context"
	"encoding/binary"

	"kbus/internal/wire"
	"kbus/message"
)

// Asking: a question becomes a frame in toSend, and the link takes what it can. conn.mu is held throughout.

// question gives a fresh one.
func (c *conn) question(op wire.Op) *question {
	var q *question
	if n := len(c.spare); n > 0 {
		q, c.spare = c.spare[n-1], c.spare[:n-1]
	} else {
		q = &question{wake: make(chan struct{}, 1)}
	}
	q.op = op
	return q
}

// release takes a question back from whoever asked it. An orphan is taken back by whoever receives its answer.
func (c *conn) release(q *question) {
	if !q.orphan {
		q.clear()
		c.spare = append(c.spare, q)
	}
}

// ask asks and waits for the answer. The error is that of the answer, too.
func (c *conn) ask(ctx context.Context, q *question) error {
	if ctx.Err() != nil {
		return q.failure(canceledBy(ctx))
	}
	if err := c.start(q); err != nil {
		return err
	}
	c.flush()
	return c.finish(ctx, q)
}

// start puts the request into toSend. Several may be started before flush, to travel together.
func (c *conn) start(q *question) error {
	if c.ended != message.OK {
		return q.failure(c.ended)
	}
	if condition := c.check(q); condition != message.OK {
		return q.failure(condition)
	}
	q.seq = c.nextSeq()
	c.waiting[q.seq] = q

	h := wire.Header{Op: q.op, Flags: q.flags, Seq: q.seq, Arg: q.arg}
	switch {
	case q.message != nil:
		q.request = q.message.IsRequest() && q.op != wire.OpSendToListeners
		c.appendMessage(h, q.message)
		return nil
	case q.op == wire.OpSend: // whatever has been written
		c.piped.patient++
	}
	at := len(c.toSend)
	b := wire.AppendHeader(c.toSend, h)
	if q.op == wire.OpNextReply {
		b = wire.AppendID(b, q.id)
	} else {
		b = append(append(b, q.text...), q.bytes...)
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-wire.HeaderBytes))
	c.toSend = b
	return nil
}

func (c *conn) nextSeq() uint32 {
	if c.seq++; c.seq == 0 { // 0 is for events
		c.seq = firstSeq
	}
	return c.seq
}

// appendMessage puts a frame with a message into toSend.
func (c *conn) appendMessage(h wire.Header, m *Message) {
	if m.IsRequest() && h.Op != wire.OpSendToListeners {
		c.asked.unknown++
	}
	if m.Flags.Has(AllOrWait) {
		c.piped.patient++
	}
	h.PayloadBytes = uint32(wire.MessageBytes(len(m.Name), len(m.Data)))
	c.nameBytes = append(c.nameBytes[:0], m.Name...)
	c.toSend = wire.AppendHead(wire.AppendHeader(c.toSend, h), &m.Header, c.nameBytes, len(m.Data))
	c.appendBody(m.Data)
}

// check refuses what would not fit into a frame, with the condition that the bus would give: a longer frame would end
// the connection.
func (c *conn) check(q *question) message.Condition {
	switch {
	case q.message != nil:
		return c.checkMessage(q.message)
	case len(q.text) > int(wire.MaxRequestBytes(c.absMaxMessageBytes)):
		return message.ErrNameTooLong
	}
	return message.OK
}

func (c *conn) checkMessage(m *Message) message.Condition {
	most := int(wire.MaxRequestBytes(c.absMaxMessageBytes))
	switch {
	case len(m.Name) > most:
		return message.ErrNameTooLong
	case wire.MessageBytes(len(m.Name), len(m.Data)) > most:
		return message.ErrMessageTooLong
	}
	return message.OK
}

// keptBytes is how large a buffer may be to be kept for the next message.
const keptBytes = 1 << 20

// flush sends what can be sent now. If the other end does not take it all, the leader sends the rest when it can.
func (c *conn) flush() {
	if c.sendSome(); len(c.toSend) > 0 && c.leading {
		c.link.poke()
	}
}

func (c *conn) sendSome() {
	n, err := len(c.toSend), error(nil)
	if !c.deaf && n > 0 {
		n, err = c.link.send(c.toSend)
	}
	if err != nil {
		c.deaf, n = true, len(c.toSend)
	}
	c.toSend = c.toSend[:copy(c.toSend, c.toSend[n:])]
	if len(c.toSend) == 0 && cap(c.toSend) > keptBytes {
		c.toSend = nil
	}
}

// finish waits for the answer to a question that has been sent.
func (c *conn) finish(ctx context.Context, q *question) error {
	c.await(ctx, q)
	if !q.answered {
		c.giveUp(ctx, q)
	}
	if !q.answered || q.canceling && q.condition == message.ErrCanceled {
		return q.failure(canceledBy(ctx))
	}
	return q.fail()
}
