package limpet

import (
	"bytes"
	"context"
	"fmt"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/wire"
	"kbus.example/kbus/message"
)

// The simulation joins two to six real buses with real Machines, and does everything else by itself: there is no
// goroutine and no clock, so a run follows from its script alone. The script is a list of numbers; each is one step, and
// means something in whatever state the world is, so any part of a script is a script too and a failing one can be cut
// down to what matters.
//
// There are three kinds of worlds: trees as with the original, where each Limpet has a network id of its own and buses
// know nothing of copies; trees where a bus has one id; and such trees with further links, so that there are rings, and
// buses that are joined twice.

type world struct {
	calm    bool // no cuts, no restarts, nobody leaves, room for everything: then nothing may be lost either
	plain   bool // as with the original
	mesh    bool // not a tree
	nodes   []*node
	edges   []*edge
	uids    int
	trace   []string
	verbose bool
	wrong   error
	dups    bool // frames have been delivered twice, and nobody can know
	works   int  // actions of Limpets that could be done
}

type node struct {
	number   int
	bus      *kbus.Bus
	queue    uint32
	drivers  []*driver
	listener *listener
}

// edge is a pair of Limpets; ends[i] is on nodes[i].
type edge struct{ ends [2]*end }

// end is one Limpet.
type end struct {
	w       *world
	node    *node
	id      uint32
	peer    *end
	queue   uint32
	k       *kbus.Ksock // nil when the link or the bus is lost and it has taken note
	machine *Machine
	in      [][]byte // on its way to us
}

var ctx = context.Background()

func (w *world) fail(format string, args ...any) {
	if w.wrong == nil {
		w.wrong = fmt.Errorf(format, args...)
		w.log("WRONG: %v", w.wrong)
	}
}

func (w *world) must(err error) {
	if err != nil {
		w.fail("%v", err)
	}
}

func (w *world) log(format string, args ...any) {
	if w.verbose {
		w.trace = append(w.trace, fmt.Sprintf(format, args...))
	}
}

// choices makes n small choices out of a number.
type choices uint64

func (c *choices) of(n int) int {
	v := uint64(*c) % uint64(n)
	*c = choices(uint64(*c) / uint64(n))
	return int(v)
}

// newWorld makes the world that the first number of a script says.
func newWorld(first uint64, verbose bool) *world {
	c := choices(first)
	w := &world{verbose: verbose, calm: c.of(4) == 0}
	kind := c.of(4)
	w.plain, w.mesh = kind == 0, kind > 1
	for i := range 2 + c.of(5) {
		queue := uint32(1000)
		if !w.calm {
			queue = uint32(6 + c.of(10)) // just enough for a roll call
		}
		n := &node{number: i, queue: queue}
		w.nodes = append(w.nodes, n)
		w.openBus(n)
		if i > 0 {
			w.link(w.nodes[c.of(i)], n, queue)
		}
	}
	for more := 0; w.mesh && more < 1+c.of(3); more++ {
		a := c.of(len(w.nodes))
		b := (a + 1 + c.of(len(w.nodes)-1)) % len(w.nodes)
		w.link(w.nodes[a], w.nodes[b], w.nodes[a].queue)
	}
	return w
}

// link joins two buses by one more pair of Limpets.
func (w *world) link(a, b *node, queue uint32) {
	e := &edge{}
	for i, n := range []*node{a, b} {
		e.ends[i] = &end{w: w, node: n, id: uint32(10 + n.number), queue: queue}
		if w.plain {
			e.ends[i].id = uint32(10 + 2*len(w.edges) + i)
		}
	}
	e.ends[0].peer, e.ends[1].peer = e.ends[1], e.ends[0]
	w.edges = append(w.edges, e)
	w.log("K%d -L%d:L%d- K%d", a.number, e.ends[0].id, e.ends[1].id, b.number)
	w.join(e)
}

func (w *world) openBus(n *node) {
	n.bus = kbus.NewBus(kbus.QueueLimit(n.queue))
	n.drivers = nil
	for range 2 {
		n.drivers = append(n.drivers, w.newDriver(n))
	}
	n.listener = w.newListener(n)
}

// join connects two Limpets anew, when both have taken note of the loss.
func (w *world) join(e *edge) {
	if e.ends[0].k != nil || e.ends[1].k != nil {
		return
	}
	w.log("L%d and L%d join", e.ends[0].id, e.ends[1].id)
	for _, end := range e.ends {
		k, err := end.node.bus.Open(context.Background())
		w.must(err)
		config := Config{OwnID: end.id, PairID: end.peer.id, Ksock: k.ID(), Name: "$.*"}
		if !w.plain {
			w.must(carry(context.Background(), k, &config, nil))
		}
		w.must(Prepare(context.Background(), k, "$.*", end.queue))
		end.k, end.in, end.machine = k, nil, New(config)
	}
}

// leave is the loss of the link, as this end notices it. What it has sent is still on its way.
func (e *end) leave(why string) {
	if e.k == nil {
		return
	}
	e.w.log("L%d: %s", e.id, why)
	_ = e.k.Close()
	e.k, e.machine, e.in = nil, nil, nil
}

// lost reports whether the other end has left.
func (e *end) lost() bool { return e.k != nil && e.peer.k == nil }

// fromBus moves one message, if there is one.
func (e *end) fromBus() bool {
	if e.k == nil {
		return false
	}
	m, err := e.k.Next(context.Background())
	if err != nil {
		e.leave(err.Error())
		return true
	}
	if m == nil {
		return false
	}
	e.w.log("L%d hears %v", e.id, m)
	e.machine.FromBus(m)
	e.work()
	return true
}

// fromPair moves one message.
func (e *end) fromPair(twice bool) bool {
	if e.k == nil || len(e.in) == 0 {
		return false
	}
	frame := e.in[0]
	if twice {
		e.w.dups = e.w.dups || e.w.plain
	} else {
		e.in = e.in[1:]
	}
	var m kbus.Message
	if err := wire.NewReader(bytes.NewReader(frame), 1<<20).Read(&m); err != nil {
		e.w.fail("L%d reads %x: %v", e.id, frame, err)
		return true
	}
	e.w.log("L%d gets %v", e.id, &m)
	e.machine.FromPair(&m)
	e.work()
	return true
}

func (e *end) work() {
	for e.k != nil {
		d, more := e.machine.Next()
		if !more {
			return
		}
		if d.Kind == ToPair {
			if e.peer.k != nil {
				e.peer.in = append(e.peer.in, wire.AppendMessage(nil, d.Message))
			}
			continue
		}
		o, err := work(ctx, e.k, d)
		e.w.log("L%d: %v %v %v: %v %v", e.id, d.Kind, d.Name, d.Message, o.Condition.Name(), err)
		if err != nil {
			e.leave(err.Error())
			return
		}
		if o.Condition == message.ErrPending || o.Condition == message.ErrStillSending { // B26
			e.w.fail("L%d waits for room: %v", e.id, d.Message)
		}
		if e.machine.Done(d, o); o.Condition == message.OK {
			e.w.works++
		}
	}
}

// retry tries again what could not be done, and reports whether anything has come of it.
func (e *end) retry() bool {
	if e.k == nil || !e.machine.Pending() {
		return false
	}
	before := e.w.works
	e.machine.Retry(true)
	e.work()
	return e.w.works > before
}
