package limpet

import (
	"context"
	"maps"
	"slices"
)

// What must hold when everything has settled down.

func (w *world) nothingOpen(t *driver) {
	if len(t.open) > 0 {
		w.fail("talker %d waits for ever for %v", t.uid, slices.Collect(maps.Keys(t.open)))
	}
}

func (w *world) check() {
	for _, n := range w.nodes {
		for _, t := range n.drivers {
			w.nothingOpen(t)
		}
		list, err := n.listener.k.Observer().List(context.Background())
		w.must(err)
		for _, k := range list { // B24: nobody is left with a reservation or a debt
			if k.Outstanding != 0 || k.Queued != 0 || w.calm && k.Unreplied != 0 {
				w.fail("K%d is quiet, and yet %+v", n.number, k)
			}
		}
	}
	for _, name := range bindable {
		w.checkProxies(name)
	}
	for _, e := range w.edges {
		for _, end := range e.ends {
			if f := end.machine.Figures(); f.Open+f.Asked != 0 || f.Returned != 0 && !w.mesh || end.machine.Pending() {
				w.fail("all is quiet, and yet L%d has %+v, unsettled: %v", end.id, f, end.machine.Pending())
			}
		}
	}
	if w.calm {
		w.checkReceived()
	}
	w.rollCall()
}

// checkProxies: a name has a Replier on every bus, if it has one on any; and none anywhere, if it has not.
func (w *world) checkProxies(name string) {
	held := w.holders(name) > 0
	for _, n := range w.nodes {
		ksock, err := n.listener.k.File().Replier(context.Background(), name)
		w.must(err)
		if held != (ksock != 0) {
			w.fail("%s has a Replier somewhere: %v; Replier on K%d: %d", name, held, n.number, ksock)
		}
	}
}

func (w *world) holders(name string) (n int) {
	for _, node := range w.nodes {
		for _, t := range node.drivers {
			if t.bound[name] {
				n++
			}
		}
	}
	return n
}

// checkReceived: where nothing is lost, every ear has heard every Announcement once.
func (w *world) checkReceived() {
	for _, n := range w.nodes {
		if !maps.Equal(n.listener.received, w.nodes[0].listener.received) {
			w.fail("heard on K%d: %v, and on K0: %v", n.number, n.listener.received, w.nodes[0].listener.received)
		}
	}
}

// rollCall: from two ends of the world, every name that has a Replier somewhere is answered by one, and that one can be
// asked again.
func (w *world) rollCall() {
	for _, n := range []*node{w.nodes[0], w.nodes[len(w.nodes)-1]} {
		t := n.drivers[0]
		for _, name := range names {
			if w.holders(name)+w.holders("$.Q.%")+w.holders("$.Q.*") > 0 {
				t.mustGet("Reply", func() { t.ask(name, 0) })
			}
		}
		if t.replied != nil && t.w.present(t.by) {
			t.mustGet("second Reply", t.askAgain)
		}
	}
}

// present reports whether a talker is there and is still the Replier of something.
func (w *world) present(uid int) bool {
	for _, n := range w.nodes {
		for _, t := range n.drivers {
			if t.uid == uid && len(t.bound) > 0 {
				return true
			}
		}
	}
	return false
}

func (t *driver) mustGet(what string, ask func()) {
	answered, statuses := t.answered, t.statuses
	ask()
	t.w.quiesce()
	t.w.nothingOpen(t)
	if t.w.wrong == nil && (t.answered != answered+1 || t.statuses != statuses) {
		t.w.fail("talker %d on K%d gets no %s", t.uid, t.node.number, what)
	}
}

// closeAll ends all buses.
func (w *world) closeAll() {
	for _, n := range w.nodes {
		w.must(n.bus.Close())
	}
}
