package choose

import (
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// A Status is called $.KBUS... whatever its Request is called. So who chooses by name means what answers a Request of such a name,
// too: without it a Request that has failed looks like one that still waits.

// asked is a Request: ids of different buses have the same numbers, and a sender may choose an id that another has chosen.
type asked struct {
	bus, asker uint32
	id         message.ID
}

// following is Requests that were meant. What happens to their answers may not be seen, so the oldest are forgotten.
type following struct{ young, old map[asked]struct{} }

// mostYoung bounds the memory: twice as many are followed at most.
const mostYoung = 50_000

func (f *following) add(r asked) {
	if len(f.young) >= mostYoung {
		f.old, f.young = f.young, nil
	}
	if f.young == nil {
		f.young = map[asked]struct{}{}
	}
	f.young[r] = struct{}{}
}

func (f *following) has(r asked) bool {
	_, young := f.young[r]
	_, old := f.old[r]
	return young || old
}

func (f *following) end(r asked) {
	delete(f.young, r)
	delete(f.old, r)
}

// means reports whether an event has such a name, or answers a Request that has.
func (c *Choice) means(e *event.Event) bool {
	if len(c.Patterns) == 0 {
		return true
	}
	named := c.Named(string(e.Name))
	switch {
	case e.Kind != event.Sent && e.Kind != event.Status:
	case e.Header.IsRequest():
		r := asked{e.Bus, e.Ksock, e.Header.ID}
		switch {
		case e.Condition != message.OK && e.Condition != message.ErrPending: // one that has waited for room may get a Status yet
		case named:
			c.followed.add(r)
		default: // the bus has begun anew, and so have its ids
			c.followed.end(r)
		}
	case e.Header.IsReply():
		r := asked{e.Bus, uint32(e.Header.To), e.Header.InReplyTo}
		if !c.followed.has(r) {
			break
		}
		if e.Condition == message.OK {
			c.followed.end(r)
		}
		return true
	}
	return named
}
