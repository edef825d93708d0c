package kbus

import (
	"kbus/internal/wire"
	"kbus/message"
)

// keepBooks notes what an answer means for the Requests that we wait for.
func (c *conn) keepBooks(q *question) {
	switch q.op {
	case wire.OpSendMessage:
		c.bookSent(q.request, q.condition, q.sent.ID)
		return
	case wire.OpCall: // given up: its answer comes as any other message
		if q.canceling && q.condition == message.ErrCanceled {
			c.asked.add(q.sent.ID)
		}
		c.asked.heard()
	case wire.OpResend: // on an error there will be no Status (R5.10)
		switch q.condition {
		case message.ErrPending:
			return
		case message.OK, message.ErrNothingToSend:
		default:
			c.asked.remove(c.unsent)
		}
		c.unsent = ID{}
	}
}

// bookSent notes what became of a message, and the id that it has got if it was accepted.
func (c *conn) bookSent(request bool, condition message.Condition, id ID) {
	if condition != message.ErrStillSending {
		c.unsent = ID{}
	}
	if !request {
		return
	}
	if condition == message.ErrPending {
		c.unsent = id
	}
	if condition == message.OK || condition == message.ErrPending {
		c.asked.add(id)
	}
	c.asked.heard()
}
