package client

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The results of what Pipes have sent. They come in the order of the messages, whatever else is answered in between.

// arrivedPiped takes the result of the next message.
func (c *Core) arrivedPiped(h wire.Header, payload []byte) error {
	m := c.nextPiped()
	if h.Op != wire.OpSendMessage {
		return Unexpected("%v, number %d", h.Op, h.Seq)
	}
	if h.Condition == message.OK || h.Condition == message.ErrPending {
		sent, ok := wire.ParseSent(payload)
		if !ok {
			return Unexpected("%v with a payload of %d bytes", h.Op, len(payload))
		}
		t := &m.pipe.Totals
		t.Accepted++
		t.Reached += uint64(sent.Reached)
		t.Skipped += uint64(sent.Skipped)
		c.noteSent(m.request, h.Condition, sent.ID)
		if h.Arg > 0 && !c.arrivedRun(h, sent) {
			return Unexpected("a result for %d messages, number %d", h.Arg+1, h.Seq)
		}
	} else {
		m.fail(h.Condition, string(payload))
		c.noteSent(m.request, h.Condition, message.ID{})
	}
	*c.nextPiped() = pipedMessage{}
	c.piped.done++
	for _, q := range c.piped.waiters {
		if q.upTo <= c.piped.done && !q.Answered {
			q.Answered = true
			c.completed = append(c.completed, q)
		}
	}
	return nil
}

// arrivedRun takes all but the last of the results that one frame stands for: those of messages that were sent one after
// the other and have been accepted, as the first was. It reports false when those cannot be.
func (c *Core) arrivedRun(h wire.Header, first wire.Sent) bool {
	p := &c.piped
	if h.Condition != message.OK || uint64(h.Arg) >= p.sent-p.done {
		return false
	}
	for n := uint32(1); n <= h.Arg; n++ {
		*c.nextPiped() = pipedMessage{}
		p.done++
		m := c.nextPiped()
		if m.seq != h.Seq+n || m.request {
			return false
		}
		t := &m.pipe.Totals
		t.Accepted++
		t.Reached += uint64(first.Reached)
	}
	return true
}

func (m *pipedMessage) fail(condition message.Condition, reason string) {
	p := m.pipe
	p.Totals.Failed++
	p.failed = append(p.failed, PipeFailure{Index: m.index, Name: m.name, Err: condition, Text: reason})
}

// dismissPiped fails all messages whose results will not come any more.
func (c *Core) dismissPiped(reason string) {
	for m := c.nextPiped(); m != nil; m = c.nextPiped() {
		m.fail(c.ended, reason)
		*m = pipedMessage{}
		c.piped.done++
	}
	c.piped.ring = nil
}
