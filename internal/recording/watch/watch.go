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

	open map[message.ID]waiting
}

// waiting is a Request without an answer.
type waiting struct {
	since int64 // boot time
	name  string
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
		id := e.Header.ID
		_, there := w.open[id]
		switch {
		case e.Condition != message.OK && e.Condition != message.ErrPending:
			delete(w.open, id)
		case !there && len(w.open) < mostOpen:
			if w.open == nil {
				w.open = map[message.ID]waiting{}
			}
			w.open[id] = waiting{e.Boot, string(e.Name)}
		}
	case e.Header.IsReply() && e.Condition == message.OK && e.Kind != event.Taken:
		delete(w.open, e.Header.InReplyTo)
	}
}

// Overdue says which Request has waited too long, or "". Each is told once.
func (w *Watch) Overdue(boot int64) (because string) {
	var first message.ID
	for id, r := range w.open {
		if boot-r.since < w.Limit {
			continue
		}
		if old, found := w.open[first]; !found || r.since < old.since {
			first = id
		}
	}
	if r, found := w.open[first]; found {
		because = fmt.Sprintf("Request %s %v is not answered", r.name, first)
		for id, r := range w.open { // those with it are in the same file
			if boot-r.since >= w.Limit {
				delete(w.open, id)
			}
		}
	}
	return because
}

// Reconnected forgets Requests of another life of the bus.
func (w *Watch) Reconnected() { clear(w.open) }
