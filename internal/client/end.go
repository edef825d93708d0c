package client

import (
	"maps"
	"slices"

	"kbus.example/kbus/message"
)

// The end of a connection. It comes once: the bus is lost, or the Ksock is closed, or first the one and then the other.

// Lost says that the other end is gone, or makes no sense any more. Requests get the Status that says so, and all
// questions are completed. reason is for people; a bus that had said that it was stopping needs no other reason.
func (c *Core) Lost(reason string) {
	c.unload()
	c.ended = message.ErrBusGone
	for _, status := range c.asked.statuses(c.ID) {
		c.inbox.push(status)
	}
	c.asked = asked{}
	if c.stopping {
		reason = "it stopped in order"
	}
	c.dismiss(reason)
}

// Close says that the program has closed the Ksock. It gives how the connection had ended before, OK if it had not.
func (c *Core) Close() (before message.Condition) {
	before = c.ended
	c.ended = message.ErrClosed
	c.inbox, c.asked = inbox{}, asked{}
	c.dismiss("")
	return before
}

// dismiss answers all that is asked with how it ended, oldest first.
func (c *Core) dismiss(reason string) {
	oldestFirst := func(x, y uint32) int { return int(int32(x - y)) }
	for _, seq := range slices.SortedFunc(maps.Keys(c.waiting), oldestFirst) {
		q := c.waiting[seq]
		delete(c.waiting, seq)
		q.Answered, q.Condition, q.Reason = true, c.ended, reason
		if q.orphan {
			q.orphan = false
			c.Release(q)
		} else {
			c.completed = append(c.completed, q)
		}
	}
	c.dismissPiped(reason)
	for _, q := range c.readers {
		q.Answered, q.Condition, q.Reason = true, c.ended, reason
		c.completed = append(c.completed, q)
	}
	c.readers = nil
	c.outgoing, c.in = outgoing{}, recvbuf{}
}
