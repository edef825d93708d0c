package limpet

import (
	"context"
	"fmt"
	"strings"

	"kbus.example/kbus"
)

// driver is a client that announces, asks, binds as Replier and replies. What it sends names it and counts, so
// that order and doubles can be seen from afar.
type driver struct {
	w          *world
	node       *node
	k          *kbus.Ksock
	uid, seq   int
	open       map[kbus.ID]question
	replied    *kbus.Message   // the last Reply, for a stateful Request
	by         int             // who made that
	unanswered []*kbus.Message // Requests that it has read
	bound      map[string]bool
	answered   int
	statuses   int
}

type question struct {
	text string
	only int // who may answer, 0 for anybody
}

// listener is a client that listens to everything.
type listener struct {
	w        *world
	k        *kbus.Ksock
	last     map[int]int     // of each sender: the number heard last
	received map[int]int     // how many
	each     map[[2]int]bool // all of them
}

var (
	names    = []string{"$.Q.a", "$.Q.b", "$.Q.c"}
	bindable = []string{"$.Q.a", "$.Q.b", "$.Q.%", "$.Q.*"}
)

func (w *world) newDriver(n *node) *driver {
	k, err := n.bus.Open(context.Background())
	w.must(err)
	w.uids++
	return &driver{w: w, node: n, k: k, uid: w.uids, open: map[kbus.ID]question{}, bound: map[string]bool{}}
}

func (w *world) newListener(n *node) *listener {
	k, err := n.bus.Open(context.Background())
	w.must(err)
	w.must(k.Bind(context.Background(), "$.*", kbus.Listener))
	return &listener{w: w, k: k, last: map[int]int{}, received: map[int]int{}, each: map[[2]int]bool{}}
}

// text is what the next message says: who, and how many have gone before.
func (t *driver) text() string {
	t.seq++
	return fmt.Sprintf("%d:%d", t.uid, t.seq)
}

func (t *driver) announce(flags kbus.Flags) {
	m := kbus.Announcement("$.News", t.text())
	m.Flags |= flags
	t.send(m, question{})
}

func (t *driver) ask(name string, flags kbus.Flags) {
	m := kbus.Request(name, t.text())
	m.Flags |= flags
	t.send(m, question{text: string(m.Data)})
}

// askAgain asks whoever has replied last, and nobody else.
func (t *driver) askAgain() {
	if t.replied == nil {
		return
	}
	m, err := t.replied.StatefulRequest(t.replied.Name, []byte(t.text()))
	if err == nil {
		t.send(m, question{string(m.Data), t.by})
	}
}

func (t *driver) send(m *kbus.Message, q question) {
	sent, err := t.k.Send(ctx, m)
	t.w.log("K%d talker %d sends %v: %v %v", t.node.number, t.uid, m, sent.ID, err)
	if err != nil || sent.Pending {
		t.w.must(t.k.Discard(context.Background()))
		return
	}
	if m.IsRequest() {
		t.open[sent.ID] = q
	}
}

// read takes one message, if there is one.
func (t *driver) read() bool {
	m, err := t.k.Next(context.Background())
	if err != nil || m == nil {
		return false
	}
	t.w.log("K%d talker %d reads %v", t.node.number, t.uid, m)
	switch {
	case m.WantsUsToReply():
		t.unanswered = append(t.unanswered, m)
	case m.IsReply():
		t.answer(m)
	}
	return true
}

// answer checks a Reply or Status: it is for an open Request, it is the right one, and it says who made it.
func (t *driver) answer(m *kbus.Message) {
	q, open := t.open[m.InReplyTo]
	if !open {
		t.w.fail("talker %d gets a second answer, or one to a Request not its own: %v", t.uid, m)
		return
	}
	delete(t.open, m.InReplyTo)
	if m.Kind() == kbus.StatusKind {
		t.statuses++
		if t.w.calm {
			t.w.fail("all is calm, and talker %d gets %v", t.uid, m)
		}
		return
	}
	t.answered++
	var by, at int
	var ksock uint32
	text, rest, _ := strings.Cut(string(m.Data), " by ")
	if _, err := fmt.Sscanf(rest, "%d on %d as %d", &by, &at, &ksock); err != nil || text != q.text {
		t.w.fail("talker %d has asked %q and gets %v", t.uid, q.text, m)
	}
	if q.only != 0 && q.only != by {
		t.w.fail("talker %d has asked %d alone and gets %v", t.uid, q.only, m)
	}
	if at == t.node.number {
		if uint32(m.From) != ksock || !m.OrigFrom.IsZero() {
			t.w.fail("from our own bus, and yet %v", m)
		}
	} else if m.OrigFrom.Local != ksock || !t.w.hasLimpet(at, m.OrigFrom.Network) {
		t.w.fail("K%d has no such origin: %v", at, m)
	}
	t.replied, t.by = m, by
}

func (w *world) hasLimpet(node int, id uint32) bool {
	for _, e := range w.edges {
		for _, end := range e.ends {
			if end.node.number == node && end.id == id {
				return true
			}
		}
	}
	return false
}

// reply answers a Request that it has read.
func (t *driver) reply(which int) bool {
	if len(t.unanswered) == 0 {
		return false
	}
	which %= len(t.unanswered)
	request := t.unanswered[which]
	t.unanswered = append(t.unanswered[:which], t.unanswered[which+1:]...)
	m, err := request.Reply([]byte(fmt.Sprintf("%s by %d on %d as %d", request.Data, t.uid, t.node.number, t.k.ID())))
	t.w.must(err)
	_, err = t.k.Send(ctx, m)
	t.w.log("K%d talker %d replies %v: %v", t.node.number, t.uid, m, err)
	return true
}

func (t *driver) bind(name string) {
	var err error
	if t.bound[name] {
		if err = t.k.Unbind(context.Background(), name, kbus.Replier); err == nil {
			delete(t.bound, name)
		}
	} else if err = t.k.Bind(context.Background(), name, kbus.Replier); err == nil {
		t.bound[name] = true
	}
	t.w.log("K%d talker %d is Replier for %s: %v %v", t.node.number, t.uid, name, t.bound[name], err)
}

// receive takes one message and checks its place among those of its sender.
func (e *listener) receive() bool {
	m, err := e.k.Next(context.Background())
	if err != nil || m == nil {
		return false
	}
	if m.IsReply() || m.Name == kbus.NameReplierBindEvent || m.Name == kbus.NameUnbindEventsLost {
		return true
	}
	var uid, seq int
	if _, err := fmt.Sscanf(string(m.Data), "%d:%d", &uid, &seq); err != nil {
		e.w.fail("heard %v", m)
	}
	if e.each[[2]int{uid, seq}] && !e.w.dups {
		e.w.fail("heard number %d twice: %v", seq, m)
	}
	if last := e.last[uid]; seq < last && (e.w.calm || !e.w.mesh) { // else the shorter way may have been cut for one
		e.w.fail("heard number %d after number %d: %v", seq, last, m)
	}
	e.each[[2]int{uid, seq}] = true
	e.last[uid] = seq
	e.received[uid]++
	return true
}
