package kbus

import (
	"kbus/internal/wire"
	"kbus/message"
)

// The results of what Pipes have sent. They come in the order of the messages, whatever else is answered in between.

// nextPiped is the message whose result comes next, nil if none is to come.
func (c *conn) nextPiped() *pipedMessage {
	if p := &c.piped; p.sent != p.done {
		return &p.ring[p.done%maxPiped]
	}
	return nil
}

// arrivedPiped takes the result of the next message.
func (c *conn) arrivedPiped(h wire.Header, payload []byte) error {
	m := c.nextPiped()
	if h.Op != wire.OpSendMessage {
		return unexpected("%v, number %d", h.Op, h.Seq)
	}
	if h.Condition == message.OK || h.Condition == message.ErrPending {
		sent, ok := wire.ParseSent(payload)
		if !ok {
			return unexpected("%v with a payload of %d bytes", h.Op, len(payload))
		}
		t := &m.pipe.totals
		t.Accepted++
		t.Reached += uint64(sent.Reached)
		t.Skipped += uint64(sent.Skipped)
		c.bookSent(m.request, h.Condition, sent.ID)
	} else {
		m.fail(h.Condition, string(payload))
		c.bookSent(m.request, h.Condition, ID{})
	}
	*m = pipedMessage{}
	c.piped.done++
	for _, q := range c.piped.waiters {
		if q.upTo <= c.piped.done && !q.answered {
			q.answered = true
			q.signal()
		}
	}
	return nil
}

func (m *pipedMessage) fail(condition message.Condition, said string) {
	p := m.pipe
	p.totals.Failed++
	p.failed = append(p.failed, PipeError{Index: m.index, Name: m.name, Err: condition, Text: said})
}

// dismissPiped fails all messages whose results will not come any more.
func (c *conn) dismissPiped(said string) {
	for m := c.nextPiped(); m != nil; m = c.nextPiped() {
		m.fail(c.ended, said)
		*m = pipedMessage{}
		c.piped.done++
	}
	c.piped.ring = nil
}
