package limpet

import (
	"kbus.example/kbus"
)

// step is one thing that happens; which one, and to whom, is in the number.
func (w *world) step(number uint64) {
	c := choices(number)
	what := c.of(100)
	n := w.nodes[c.of(len(w.nodes))]
	t := n.drivers[c.of(len(n.drivers))]
	e := w.edges[c.of(len(w.edges))].ends[c.of(2)]
	switch {
	case what < 8:
		t.announce(w.flags(&c))
	case what < 22:
		t.ask(names[c.of(len(names))], w.flags(&c))
	case what < 27:
		t.askAgain()
	case what < 37:
		t.read()
	case what < 45:
		t.reply(c.of(8))
	case what < 53:
		if !w.calm {
			t.bind(bindable[c.of(len(bindable))])
		}
	case what < 57:
		for range 8 {
			n.listener.receive()
		}
	case what < 73:
		for range 1 + c.of(4) {
			e.fromBus()
		}
	case what < 89:
		for range 1 + c.of(4) {
			e.fromPair(false)
		}
	default:
		if !w.calm {
			w.mishap(what-89, n, c.of(len(n.drivers)), e)
		}
	}
}

func (w *world) flags(c *choices) kbus.Flags {
	return []kbus.Flags{0, 0, 0, kbus.AllOrFail, kbus.AllOrWait}[c.of(5)]
}

// mishap is something that only goes wrong in a world that is not calm.
func (w *world) mishap(what int, n *node, which int, e *end) {
	switch {
	case what < 2:
		e.leave("the link is cut")
	case what < 4:
		if e.lost() {
			e.leave("the link is lost")
		}
	case what < 6:
		w.join(w.edgeOf(e))
	case what < 7:
		e.fromPair(true)
	case what < 8:
		e.retry()
	case what < 10:
		t := n.drivers[which]
		w.log("K%d talker %d leaves", n.number, t.uid)
		w.must(t.k.Close())
		n.drivers[which] = w.newDriver(n)
	default:
		w.restart(n)
	}
}

func (w *world) edgeOf(e *end) *edge {
	for _, edge := range w.edges {
		if edge.ends[0] == e || edge.ends[1] == e {
			return edge
		}
	}
	panic("an end without an edge")
}

// restart ends a bus as the death of its daemon would. Every open Request has its Status by then.
func (w *world) restart(n *node) {
	w.log("K%d restarts", n.number)
	w.must(n.bus.Close())
	for _, t := range n.drivers {
		for t.read() {
		}
		w.nothingOpen(t)
	}
	for _, e := range w.edges {
		for _, end := range e.ends {
			if end.node == n {
				for end.fromBus() {
				}
			}
		}
	}
	w.openBus(n)
}

// quiesce joins everything and lets everybody finish. It must come to an end.
func (w *world) quiesce() {
	for round := 0; w.wrong == nil; round++ {
		if round > 2000 {
			w.fail("after 2000 rounds there is still no end")
		}
		moved := false
		for _, e := range w.edges {
			for _, end := range e.ends {
				if end.lost() {
					end.leave("the link is lost")
					moved = true
				}
			}
			if e.ends[0].k == nil {
				w.join(e)
				moved = true
			}
			for _, end := range e.ends {
				for range 20 { // and then it is somebody else's turn
					received, got := end.fromBus(), end.fromPair(false)
					if !received && !got {
						break
					}
					moved = true
				}
			}
		}
		for _, n := range w.nodes {
			for n.listener.receive() {
				moved = true
			}
			for _, t := range n.drivers {
				for t.read() || t.reply(0) {
					moved = true
				}
			}
		}
		if !moved && !w.retryAll() {
			return
		}
	}
}

// retryAll tries everything again, and reports whether anything has come of it.
func (w *world) retryAll() (moved bool) {
	for _, e := range w.edges {
		for _, end := range e.ends {
			moved = end.retry() || moved
		}
	}
	return moved
}
