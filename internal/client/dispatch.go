package client

import (
	"bytes"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What has been received is cut into frames, and each answer goes to its question. On the way the Core notes which Requests
// are not answered yet (outstanding.go), and keeps the messages that nobody asked for by now (inbox.go).

// Space is where to receive next.
func (c *Core) Space() []byte { return c.in.space() }

// Received takes the frames that n more bytes have made whole. After an error the other end makes no sense: the connection
// is Lost.
func (c *Core) Received(n int) error {
	r := &c.in
	r.end += n
	for {
		h, payload, n, err := wire.Split(r.buf[r.start:r.end], wire.MaxResultBytes)
		if err != nil {
			return err
		}
		if n == 0 {
			r.split()
			return nil
		}
		r.start += n
		if err := c.deliver(h, payload); err != nil {
			return err
		}
	}
}

// deliver gives one answer to its question.
func (c *Core) deliver(h wire.Header, payload []byte) error {
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
	if q == nil || q.Op != h.Op {
		return Unexpected("%v, number %d", h.Op, h.Seq)
	}
	delete(c.waiting, h.Seq)
	q.Answered, q.Condition, q.Number = true, h.Condition, h.Arg
	if !c.read(q, payload) { // it is no answer: the question ends as all others do, with the connection
		q.Answered, q.Got = false, nil
		c.waiting[h.Seq] = q
		return Unexpected("%v with a payload of %d bytes", h.Op, len(payload))
	}
	c.note(q)
	if q.next != nil && !Bearable(q.Condition) {
		q.next.Pointless = true
		c.completed = append(c.completed, q.next)
	}
	if !q.orphan {
		c.completed = append(c.completed, q)
		return nil
	}
	c.takeBack(q)
	c.insist(q)
	q.orphan = false
	c.Release(q)
	return nil
}

// read takes the payload of an answer. It reports false when it is not what that answer has.
func (c *Core) read(q *Question, payload []byte) (ok bool) {
	if q.Condition != message.OK && q.Condition != message.ErrPending {
		if q.Op == wire.OpCall && len(payload) == wire.IDBytes {
			q.Sent.ID, ok = wire.ParseID(payload)
			return ok
		}
		q.Reason = string(payload)
		return true
	}
	switch q.Op {
	case wire.OpSendMessage, wire.OpSendToListeners, wire.OpResend, wire.OpSend:
		q.Sent, ok = wire.ParseSent(payload)
		return ok
	case wire.OpLastSent:
		q.Sent.ID, ok = wire.ParseID(payload)
		return ok
	case wire.OpNext, wire.OpNextWait, wire.OpNextReply, wire.OpCall:
		return c.readMessages(q, payload)
	}
	if len(payload) > 0 {
		q.Payload = bytes.Clone(payload)
	}
	return true
}

// readMessages takes q.Number messages. The first is for the one that asked; if that has left, all of them are passed on,
// in order, but for the late answer of a Call that the program does not want. Only Next may bring none.
func (c *Core) readMessages(q *Question, payload []byte) bool {
	if q.Number == 0 && q.Op != wire.OpNext {
		return false
	}
	for i := range q.Number {
		m := q.Into
		if i > 0 || m == nil || q.orphan {
			m = new(message.Message)
		}
		rest, ok := c.parse(payload, m)
		if !ok {
			return false
		}
		payload = rest
		if q.Op != wire.OpCall {
			c.asked.markAnswered(&m.Header, c.ID)
		}
		switch {
		case i == 0 && !q.orphan:
			q.Got = m
		case q.Op != wire.OpCall || c.options.KeepLate:
			c.passOn(m)
		}
	}
	return len(payload) == 0
}

// parse reads the first message of a payload into m and gives the rest.
func (c *Core) parse(payload []byte, m *message.Message) (rest []byte, ok bool) {
	name, data, rest, ok := wire.ParseMessage(payload, &m.Header)
	if !ok {
		return nil, false
	}
	f, rest, ok := c.marks.Cut(&m.Header, rest)
	if ok {
		m.Missed, m.Trace = f.Missed, message.TraceOf(f.Trace)
		m.Name = c.names.of(name, m.Name)
		m.Data = append(m.Data[:0], data...)
	}
	return rest, ok
}

// Bearable reports whether a program that answers Requests goes on if a message that it sends ends in that condition.
func Bearable(condition message.Condition) bool {
	switch condition {
	case message.OK, message.ErrPending:
		return true
	case message.ErrAddresseeGone, message.ErrNotExpected: // nobody waits for that Reply any more
		return true
	case message.ErrBusGone: // receiving tells of that, after the last messages
		return true
	}
	return false
}

// asReplier is the argument of a Bind as Replier.
const asReplier = 1

// takeBack undoes a Bind whose result nobody has waited for: the program was told that it had failed.
func (c *Core) takeBack(bind *Question) {
	as, name := bind.Arg, bind.Text
	switch {
	case bind.Condition != message.OK:
		return
	case bind.Op == wire.OpBindProxy:
		_, of, _ := wire.ParseProxy(bind.Bytes) // we have made it
		as, name = asReplier, string(of)
	case bind.Op != wire.OpBind:
		return
	}
	unbind := c.Question(wire.OpUnbind)
	unbind.Arg, unbind.Text = as, name
	c.startOrphan(unbind)
	c.outgoing.hurry = true
}

// insist has a bus that does not know GiveUp cancel what was given up. The answer to that comes as any other message.
func (c *Core) insist(giveUp *Question) {
	if giveUp.Op != wire.OpGiveUp || giveUp.Condition != message.ErrUnknownOperation {
		return
	}
	cancel := c.Question(wire.OpCancel)
	cancel.Arg = giveUp.Arg
	c.startOrphan(cancel)
	c.outgoing.hurry = true
}
