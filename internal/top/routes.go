package top

import (
	"slices"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Who gets a message of a name: found out once for each name, as long as the bindings are the same.

type route struct {
	ksock  kbus.KsockID
	copies int
}

type routes struct {
	bindings []kbus.BindingInfo // of Listeners
	known    map[string][]route
}

// mostNames bounds what is kept of names that others choose.
const mostNames = 10_000

func (r *routes) set(bindings []kbus.BindingInfo) {
	listeners := slices.DeleteFunc(slices.Clone(bindings), func(b kbus.BindingInfo) bool { return b.As != kbus.Listener })
	if !slices.Equal(listeners, r.bindings) || r.known == nil {
		r.bindings, r.known = listeners, map[string][]route{}
	}
}

// change follows a binding that comes or goes between two reports.
func (r *routes) change(e *kbus.Event) {
	if e.AsReplier {
		return
	}
	same := func(b kbus.BindingInfo) bool { return b.Ksock == e.By.Ksock && b.Name == e.Message.Name }
	if e.Event == kbus.EventBound {
		r.bindings = append(r.bindings, kbus.BindingInfo{Ksock: e.By.Ksock, PID: e.By.PID, As: kbus.Listener, Name: e.Message.Name})
	} else if i := slices.IndexFunc(r.bindings, same); i >= 0 {
		r.bindings = slices.Delete(r.bindings, i, i+1)
	}
	r.known = map[string][]route{}
}

func (r *routes) of(name string) []route {
	found, known := r.known[name]
	if known {
		return found
	}
	copies := map[kbus.KsockID]int{}
	for _, b := range r.bindings {
		if message.Matches(b.Name, name) {
			copies[b.Ksock]++
		}
	}
	for id, n := range copies {
		found = append(found, route{id, n})
	}
	if len(r.known) < mostNames {
		r.known[name] = found
	}
	return found
}
