package client

import (
	"slices"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The bus promises one Reply or Status to each Request. A bus in a kernel could keep that promise always; a daemon can
// die. So we keep a list of the Requests that it still owes an answer to, and if it is lost we give the answers: each
// Request that had been accepted gets the Status `$.KBUS.Bus.GoneAway`.

// asked is the ids of Requests sent and not answered. Answers mostly come in the order of the Requests, but need not.
type asked struct {
	serial uint64
	open   map[message.ID]debt

	// A message that is taken without asking the bus (window.go) may be the answer to a Request whose result has not
	// come yet.
	unknown int                // Requests on their way, so that their id is not known
	early   map[message.ID]int // answers to them

	unsent  message.ID // of a Request that waits for room, as far as we know
	sending bool       // a message waited for room at the last Poll
}

// debt is one or, if the sender chose the same id twice (R4.40), several Requests.
type debt struct {
	serial uint64 // for the order of sending
	times  int
}

func (a *asked) add(id message.ID) {
	if n := a.early[id]; n > 0 {
		a.early[id] = n - 1
		return
	}
	if a.open == nil {
		a.open = map[message.ID]debt{}
	}
	d := a.open[id]
	a.serial++
	a.open[id] = debt{a.serial, d.times + 1}
}

func (a *asked) remove(id message.ID) {
	if d, ok := a.open[id]; ok && d.times > 1 {
		d.times--
		a.open[id] = d
	} else {
		delete(a.open, id)
	}
}

// markAnswered notes a message that has come for Ksock us. A Listener's copy of somebody else's Reply settles nothing.
func (a *asked) markAnswered(h *message.Header, us message.KsockID) {
	if !h.IsReply() || h.To != us {
		return
	}
	_, known := a.open[h.InReplyTo]
	switch {
	case known:
		a.remove(h.InReplyTo)
	case a.unknown > 0:
		if a.early == nil {
			a.early = map[message.ID]int{}
		}
		a.early[h.InReplyTo]++
	}
}

// received notes that the id of a Request has come, and has been added, or never will.
func (a *asked) received() {
	if a.unknown--; a.unknown == 0 {
		clear(a.early)
	}
}

// statuses makes the Status for every Request that is left, in the order of sending.
func (a *asked) statuses(us message.KsockID) []*message.Message {
	ids := make([]message.ID, 0, len(a.open))
	for id, d := range a.open {
		for range d.times {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y message.ID) int { return int(int64(a.open[x].serial - a.open[y].serial)) })
	list := make([]*message.Message, len(ids))
	for i, id := range ids {
		list[i] = BusGoneAway(id, us)
	}
	return list
}

// BusGoneAway is a Status from the bus (R5.2), but for an id: there is nobody left to give one.
func BusGoneAway(request message.ID, us message.KsockID) *message.Message {
	return &message.Message{
		Header: message.Header{InReplyTo: request, To: us, Flags: message.Synthetic},
		Name:   message.NameBusGoneAway,
	}
}

// note says what an answer means for the Requests that are outstanding.
func (c *Core) note(q *Question) {
	switch q.Op {
	case wire.OpSendMessage:
		c.noteSent(q.Request, q.Condition, q.Sent.ID)
	case wire.OpCall: // given up: its answer comes as any other message, or not at all
		if c.options.KeepLate && q.Canceled() {
			c.asked.add(q.Sent.ID)
		}
		c.asked.received()
	case wire.OpResend: // on an error there will be no Status (R5.10)
		c.noteTried(q.Condition)
	case wire.OpSend: // what was written by bytes: if it waits for room, the next is another try
		accepted := q.Condition == message.OK || q.Condition == message.ErrPending
		if q.Request && accepted && q.Sent.ID != c.asked.unsent {
			c.asked.add(q.Sent.ID)
			c.asked.unsent = q.Sent.ID
		}
		c.noteTried(q.Condition)
	case wire.OpPoll:
		c.asked.sending = q.Number&Writable == 0
	case wire.OpDiscard: // behind a Poll: if a Request waited for room, nobody answers it any more
		if q.Condition == message.OK {
			if c.asked.sending {
				c.asked.remove(c.asked.unsent)
			}
			c.asked.unsent = message.ID{}
		}
	}
}

// Bits of the answer to Poll.
const (
	Readable = 1
	Writable = 2
)

// noteSent is for a message, and the id that it has got if it was accepted.
func (a *asked) noteSent(request bool, condition message.Condition, id message.ID) {
	if condition != message.ErrStillSending {
		a.unsent = message.ID{}
	}
	if !request {
		return
	}
	if condition == message.ErrPending {
		a.unsent = id
	}
	if condition == message.OK || condition == message.ErrPending {
		a.add(id)
	}
	a.received()
}

// noteTried is for another try to send the message that waits for room.
func (a *asked) noteTried(condition message.Condition) {
	switch condition {
	case message.ErrPending:
		return
	case message.OK, message.ErrNothingToSend:
	default:
		a.remove(a.unsent)
	}
	a.unsent = message.ID{}
}

// MarkAnswered is for a message that was read by bytes.
func (c *Core) MarkAnswered(h *message.Header) { c.asked.markAnswered(h, c.ID) }

// Outstanding counts the Requests that the bus still owes an answer to.
func (a *asked) Outstanding() (n int) {
	for _, d := range a.open {
		n += d.times
	}
	return n
}
