package kbus

import (
	"kbus/internal/wire"
	"kbus/message"
)

// keepBooks notes what an answer means for the Requests that we wait for.
func (c *conn) keepBooks(q *question) {
	switch q.op {
	case wire.OpSendMessage:
		if q.condition == message.ErrStillSending {
			return
		}
		c.unsent = ID{}
		if q.request && (q.condition == message.OK || q.condition == message.ErrPending) {
			c.asked.add(q.sent.ID)
			if q.condition == message.ErrPending {
				c.unsent = q.sent.ID
			}
		}
	case wire.OpCall: // given up: its answer comes as any other message
		if q.canceling && q.condition == message.ErrCanceled {
			c.asked.add(q.sent.ID)
		}
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
