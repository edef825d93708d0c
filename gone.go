package kbus

import (
	"io"

	"kbus/message"
)

// The end of a connection. It comes once: the bus is lost, or the Ksock is closed, or first the one and then the other.

// lose is for the leader: the other end is gone, or makes no sense any more. Requests get the Status that says so, and
// everybody who waits is told.
func (c *conn) lose(why error) {
	c.unload()
	c.ended = message.ErrBusGone
	for _, status := range c.asked.statuses(c.id) {
		c.inbox.push(status)
	}
	c.asked = asked{}
	said := why.Error()
	switch {
	case c.stopping:
		said = "it stopped in order"
	case why == io.EOF:
		said = ""
	}
	c.dismiss(said)
	c.link.drop()
}

// dismiss answers all that is asked with how it ended.
func (c *conn) dismiss(said string) {
	for seq, q := range c.waiting {
		delete(c.waiting, seq)
		q.answered, q.condition, q.said = true, c.ended, said
		if q.orphan {
			q.orphan = false
			c.release(q)
		} else {
			q.signal()
		}
	}
	c.dismissPiped(said)
	for _, q := range c.claimers {
		q.answered, q.condition, q.said = true, c.ended, said
		q.signal()
	}
	c.claimers = nil
	c.watchNone()
	c.toSend, c.in = nil, arrivals{}
}

// end closes the connection, and waits until the bus has taken note if orderly. Nothing of it is left afterwards, and
// everybody who waits gets ErrClosed.
func (c *conn) end(orderly bool) {
	c.closing.Do(func() {
		c.mu.Lock()
		before := c.ended
		c.ended = message.ErrClosed
		c.inbox, c.asked = inbox{}, asked{}
		c.dismiss("")
		if before == message.OK {
			c.link.poke()
		}
		for c.leading {
			c.left.Wait()
		}
		c.mu.Unlock()
		switch {
		case before != message.OK:
		case orderly:
			c.link.hangUp()
		default:
			c.link.drop()
		}
	})
}
