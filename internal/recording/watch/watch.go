// Package watch looks at the events of a bus for what a recorder shall write its memory for: a message of a name, or a Request that
// is not answered in time. It is pure.
package watch

import (
	"fmt"
	"slices"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// Watch is what is looked for. The zero Watch finds nothing.
type Watch struct {
	Patterns []string // names of messages that are sent
	Limit    int64    // nanoseconds that a Request may be without an answer; 0: any number

	open map[asked]waiting
}

// asked is what a Request is known by: a sender may choose the id that another's has, and a refused one may have any.
type asked struct {
	id message.ID
	by uint32 // Ksock
}

// waiting is a Request without an answer.
type waiting struct {
	since int64 // boot time
	name  string
	has   bool // its Replier has it; else it waits for room
}

// mostOpen limits the memory. A bus with more Requests without an answer has been found long ago.
const mostOpen = 1 << 16

// Event looks at an event, and says why it is one that is looked for, or "".
func (w *Watch) Event(e *event.Event) (because string) {
	kind, ok := e.MessageKind()
	if !ok {
		return ""
	}
	w.note(e, kind)
	if e.Kind != event.Sent || len(w.Patterns) == 0 {
		return ""
	}
	name := string(e.Name)
	if slices.ContainsFunc(w.Patterns, func(p string) bool { return p == name || message.Covers(p, name) }) {
		return fmt.Sprintf("%v %s %v", kind, name, e.Header.ID)
	}
	return ""
}

// note keeps the books of Requests.
func (w *Watch) note(e *event.Event, kind message.Kind) {
	switch {
	case w.Limit == 0:
	case e.Kind == event.Sent && kind == message.RequestKind:
		key := asked{e.Header.ID, e.Ksock}
		r, there := w.open[key]
		switch {
		case e.Condition != message.OK && e.Condition != message.ErrPending:
			if there && !r.has { // it waited in vain
				delete(w.open, key)
			}
		case there:
			r.has = e.Replier != 0
			w.open[key] = r
		case len(w.open) < mostOpen:
			if w.open == nil {
				w.open = map[asked]waiting{}
			}
			w.open[key] = waiting{e.Boot, string(e.Name), e.Replier != 0}
		}
	case e.Header.IsReply() && e.Condition == message.OK && e.Kind != event.Taken:
		delete(w.open, asked{e.Header.InReplyTo, uint32(e.Header.To)})
	}
}

// Overdue says which Request has waited too long, or "". Each is told once.
func (w *Watch) Overdue(boot int64) (because string) {
	var first asked
	for key, r := range w.open {
		if boot-r.since < w.Limit {
			continue
		}
		if old, found := w.open[first]; !found || r.since < old.since {
			first = key
		}
	}
	if r, found := w.open[first]; found {
		because = fmt.Sprintf("Request %s %v is not answered", r.name, first.id)
		for key, r := range w.open { // those with it are in the same file
			if boot-r.since >= w.Limit {
				delete(w.open, key)
			}
		}
	}
	return because
}

// Reconnected forgets Requests of another life of the bus.
func (w *Watch) Reconnected() { clear(w.open) }
