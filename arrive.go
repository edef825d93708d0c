package kbus

import (
	"bytes"

	"kbus/internal/wire"
	"kbus/message"
)

// What has been received is cut into frames, each answer goes to its question, and on the way the conn keeps its books:
// which Requests are not answered yet (asked), and messages that nobody asked for by now (inbox).

// arrived takes the frames that n more bytes have made whole. The question own is that of the leader, who needs not to
// be woken.
func (c *conn) arrived(n int, own *question) error {
	a := &c.in
	a.end += n
	for {
		h, payload, n, err := wire.Split(a.buf[a.start:a.end], wire.MaxResultBytes)
		if err != nil {
			return err
		}
		if n == 0 {
			a.took()
			return nil
		}
		a.start += n
		if err := c.deliver(h, payload, own); err != nil {
			return err
		}
	}
}

// deliver gives one answer to its question.
func (c *conn) deliver(h wire.Header, payload []byte, own *question) error {
	if h.Seq == 0 && h.Op == wire.OpHello { // a refusal given before we had asked, to one connection too many
		h.Seq = firstSeq
	}
	if h.Seq == 0 { // an event; a newer bus may send some that we do not know
		c.stopping = c.stopping || h.Op == wire.OpStopping
		return nil
	}
	if m := c.nextPiped(); m != nil && m.seq == h.Seq {
		return c.arrivedPiped(h, payload)
	}
	q := c.waiting[h.Seq]
	if q == nil || q.op != h.Op {
		return unexpected("%v, number %d", h.Op, h.Seq)
	}
	delete(c.waiting, h.Seq)
	q.answered, q.condition, q.number = true, h.Condition, h.Arg
	if !c.read(q, payload) {
		return unexpected("%v with a payload of %d bytes", h.Op, len(payload))
	}
	c.keepBooks(q)
	if q.next != nil && !bearable(q.condition) {
		q.next.pointless = true
		q.next.signal()
	}
	switch {
	case q.orphan:
		if q.got != nil {
			c.passOn(q.got)
		}
		q.orphan = false
		c.release(q)
	case q != own:
		q.signal()
	}
	return nil
}

// read takes the payload of an answer. It reports false when it is not what that answer has.
func (c *conn) read(q *question, payload []byte) (ok bool) {
	if q.condition != message.OK && q.condition != message.ErrPending {
		if q.op == wire.OpCall && len(payload) == wire.IDBytes {
			q.sent.ID, ok = wire.ParseID(payload)
			return ok
		}
		q.said = string(payload)
		return true
	}
	switch q.op {
	case wire.OpSendMessage, wire.OpSendToListeners, wire.OpResend, wire.OpSend:
		q.sent, ok = wire.ParseSent(payload)
		return ok
	case wire.OpLastSent:
		q.sent.ID, ok = wire.ParseID(payload)
		return ok
	case wire.OpNext, wire.OpNextWait, wire.OpNextReply, wire.OpCall:
		return c.readMessages(q, payload)
	}
	if len(payload) > 0 {
		q.payload = bytes.Clone(payload)
	}
	return true
}

// readMessages takes q.number messages. The first is for who asked, unless it has left.
func (c *conn) readMessages(q *question, payload []byte) bool {
	for i := range q.number {
		m := q.into
		if i > 0 || m == nil || q.orphan {
			m = new(Message)
		}
		rest, ok := c.parse(payload, m)
		if !ok {
			return false
		}
		payload = rest
		if q.op != wire.OpCall {
			c.asked.settle(m, c.id)
		}
		if i == 0 {
			q.got = m
		} else {
			c.passOn(m)
		}
	}
	return len(payload) == 0
}

// parse reads the first message of a payload into m and gives the rest.
func (c *conn) parse(payload []byte, m *Message) (rest []byte, ok bool) {
	name, data, rest, ok := wire.ParseMessage(payload, &m.Header)
	if ok {
		m.Name = c.names.of(name, m.Name)
		m.Data = append(m.Data[:0], data...)
	}
	return rest, ok
}

// passOn finds a reader for a message that nobody asked for: somebody who waits for one anyway, or whoever comes next.
// The bus still owes that somebody an answer; it is for an orphan now.
func (c *conn) passOn(m *Message) {
	if len(c.claimers) > 0 {
		q := c.claimers[0]
		c.unclaim(q)
		q.got, q.answered = m, true
		if q.into != nil {
			q.got = copyInto(q.into, m)
		}
		q.signal()
		return
	}
	for seq, q := range c.waiting {
		if q.op == wire.OpNextWait && q.attended {
			orphan := c.question(wire.OpNextWait)
			orphan.seq, orphan.orphan = seq, true
			c.waiting[seq] = orphan
			q.got, q.answered = m, true
			if q.into != nil {
				q.got = copyInto(q.into, m)
			}
			q.signal()
			return
		}
	}
	c.unload()
	c.inbox.push(m)
}
