// Package requests follows Requests from the moment they are sent until their Reply or Status, for who looks at a bus through a tap
// or at a recording. It has no clock, and is not safe for concurrent use.
//
// Events may be missed, and an answer with them: then a Request stays open here that no longer is. Who can ask the daemon sorts
// those out with its report.
package requests

import (
	"slices"
	"time"

	"kbus.example/kbus"
)

// Request is one that was sent.
type Request struct {
	ID       kbus.ID
	Name     string
	By       kbus.Peer // who asked
	Trace    string    // the id of its trace
	Sent     time.Time
	Replier  kbus.KsockID // the Ksock that has it; 0: it waits for room
	Answered bool
	Ended    time.Time
	Overdue  bool // for the user of this package: it has been shown as waiting for long
}

// Lasted is how long it lasted until the answer.
func (r *Request) Lasted() time.Duration { return r.Ended.Sub(r.Sent) }

// Key is what a Request is known by: a sender may choose the id that another's has, and a refused one may have any.
type Key struct {
	ID    kbus.ID
	Asker kbus.KsockID
}

// Open is those without an answer.
type Open map[Key]*Request

// Note takes note of an event, in the order of the bus, and gives the Request that it is about, or nil.
func (open Open) Note(e *kbus.Event) *Request {
	switch {
	case e.Err != nil && e.Err != error(kbus.ErrPending):
		r := open[Key{e.ID, e.By.Ksock}]
		if r != nil && r.Replier == 0 && e.Event == kbus.EventSent && e.IsRequest() { // it waited in vain
			return open.end(r, e)
		}
	case e.Event == kbus.EventSent && e.IsRequest():
		key := Key{e.ID, e.By.Ksock}
		r := open[key]
		if r == nil || r.Replier != 0 { // else it has waited for room. One that has not is of a former life of the bus
			open.makeRoom()
			r = &Request{ID: e.ID, Name: e.Message.Name, By: e.By, Trace: e.Trace.TraceID(), Sent: e.Time}
			open[key] = r
		}
		r.Replier = e.Replier
		return r
	case e.Event == kbus.EventTaken:
		if r := open[Key{e.ID, e.From}]; r != nil {
			r.Replier = e.By.Ksock // which a standby may have become
			return r
		}
	case e.Event == kbus.EventStatus, e.Event == kbus.EventSent && e.IsReply() && e.Err == nil:
		if r := open[Key{e.InReplyTo, e.To}]; r != nil {
			return open.end(r, e)
		}
	}
	return nil
}

func (open Open) end(r *Request, e *kbus.Event) *Request {
	delete(open, Key{r.ID, r.By.Ksock})
	r.Answered, r.Ended = true, e.Time
	return r
}

// Most bounds the memory: a Request whose answer was missed would be kept for ever.
const Most = 100_000

// makeRoom forgets one when there are too many, whichever.
func (open Open) makeRoom() {
	if len(open) < Most {
		return
	}
	for key := range open {
		delete(open, key)
		return
	}
}

// OlderThan gives those that were sent then or before, the oldest first.
func (open Open) OlderThan(moment time.Time) (old []*Request) {
	for _, r := range open {
		if !r.Sent.After(moment) {
			old = append(old, r)
		}
	}
	slices.SortFunc(old, bySent)
	return old
}

// ByReplier sorts them by who has to answer, the oldest first.
func (open Open) ByReplier() map[kbus.KsockID][]*Request {
	owed := map[kbus.KsockID][]*Request{}
	for _, r := range open {
		owed[r.Replier] = append(owed[r.Replier], r)
	}
	for _, list := range owed {
		slices.SortFunc(list, bySent)
	}
	return owed
}

func bySent(a, b *Request) int { return a.Sent.Compare(b.Sent) }
