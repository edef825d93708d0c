package bus

import "kbus.example/kbus/message"

// What the bus knows of a message while it is being sent: who is to get it, and what that would cost. It lives in the Bus, so that
// deciding allocates nothing, and is of no use to the next message.

// plan is the recipients of a message.
type plan struct {
	addressee *Ksock     // of a Reply
	replier   *binding   // of a Request
	held      bool       // there is none, and it is held until there is, see startable.go
	listeners []*binding // those with room, newest first
	skipped   uint32     // listener bindings without
	missers   []*Ksock   // of those
	blocker   *Ksock     // with ErrPending: whose queue is full; nil: too many Requests of its name are held
	unwanted  *Ksock     // the addressee of a Reply that it does not want any more, see giveup.go
	behind    *Ksock     // the one whose full queue was found last, see Why
	short     int64      // with ErrPending: what its user would have to be charged; 0: there is another reason
	bill      bill
}

// sending is the plan of the message that is being sent, and what is counted of all that were.
type sending struct {
	plan       plan
	nextSerial uint32 // 0 until first used, as the stats report shows (R8.4)
	decided    uint64 // counts messages that were to be sent
	quickness
	startable
	behind []*Ksock // that have made the last Bind or Unbind fail: its event could not be sent
}

// nextID is the id of a message that is sent on this bus.
func (s *sending) nextID() message.ID { return message.ID{Serial: next(&s.nextSerial)} }

// recipients is how many copies of the message the plan will queue.
func (p *plan) recipients() int {
	n := len(p.listeners)
	if p.addressee != nil {
		n++
	}
	if p.replier != nil {
		n++
	}
	return n
}
