package kbus

import (
	"slices"

	"kbus/message"
)

// The bus promises one Reply or Status to each Request. A bus in a kernel could keep that promise always; a daemon can
// die. So we keep a list of the Requests that it still owes an answer to, and if it is lost we give the answers: each
// Request that had been accepted gets the Status `$.KBUS.Bus.GoneAway`.

// asked is the ids of Requests sent and not answered. Answers mostly come in the order of the Requests, but need not.
type asked struct {
	serial uint64
	open   map[ID]debt

	// A message that is taken without asking the bus (see front) may be the answer to a Request whose result has not
	// come yet.
	unknown int        // Requests on their way, so that their id is not known
	early   map[ID]int // answers to them
}

// debt is one or, if the sender chose the same id twice (R4.40), several Requests.
type debt struct {
	serial uint64 // for the order of sending
	times  int
}

func (a *asked) add(id ID) {
	if n := a.early[id]; n > 0 {
		a.early[id] = n - 1
		return
	}
	if a.open == nil {
		a.open = map[ID]debt{}
	}
	d := a.open[id]
	a.serial++
	a.open[id] = debt{a.serial, d.times + 1}
}

func (a *asked) remove(id ID) {
	if d, ok := a.open[id]; ok && d.times > 1 {
		d.times--
		a.open[id] = d
	} else {
		delete(a.open, id)
	}
}

// settle notes a message that has come for Ksock us. A Listener's copy of somebody else's Reply settles nothing.
func (a *asked) settle(m *Message, us uint32) {
	if !m.IsReply() || m.To != us {
		return
	}
	_, known := a.open[m.InReplyTo]
	switch {
	case known:
		a.remove(m.InReplyTo)
	case a.unknown > 0:
		if a.early == nil {
			a.early = map[ID]int{}
		}
		a.early[m.InReplyTo]++
	}
}

// heard notes that the id of a Request has come, and has been added, or never will.
func (a *asked) heard() {
	if a.unknown--; a.unknown == 0 {
		clear(a.early)
	}
}

// statuses makes the Status for every Request that is left, in the order of sending.
func (a *asked) statuses(us uint32) []*Message {
	ids := make([]ID, 0, len(a.open))
	for id, d := range a.open {
		for range d.times {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y ID) int { return int(int64(a.open[x].serial - a.open[y].serial)) })
	list := make([]*Message, len(ids))
	for i, id := range ids {
		list[i] = busGoneAway(id, us)
	}
	return list
}

// busGoneAway is a Status from the bus (R5.2), but for an id: there is nobody left to give one.
func busGoneAway(request ID, us uint32) *Message {
	return &Message{
		Header: Header{InReplyTo: request, To: us, Flags: Synthetic},
		Name:   message.NameBusGoneAway,
	}
}
