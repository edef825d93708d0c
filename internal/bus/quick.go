package bus

import "kbus.example/kbus/message"

// Most messages are like the one that their sender sent before: the same name, to the same Listeners, who have room.
// So a Ksock remembers the Listeners that its last name went to (known), until a binding changes. An announcement for
// which everything that decide and deliver look at comes out in the usual way goes straight to the queues (quick).
//
// A quick path must be the twin of the slow one: it does what that does, or nothing at all. SetQuick turns it off, which
// must make no difference to any outcome; the tests do so between any two operations.

// What is not remembered: long names, and very many Listeners, for which a look costs little beside the copies.
const (
	mostKnownBytes     = 128
	mostKnownListeners = 16
)

// known is what a Ksock remembers of the name that it sent last.
type known struct {
	name      []byte
	changes   uint64 // of all bindings, when this was found; 0: nothing is known
	listeners []*binding
	replier   *binding
}

// quickness says which ways a bus goes.
type quickness struct {
	slow    bool // no quick paths, see SetQuick
	quickly Quickly
}

// SetQuick turns the quick paths on, as they are at first, or off.
func (s *sending) SetQuick(on bool) { s.slow = !on }

// Quickly counts what went each of the quick ways.
type Quickly struct {
	Announced uint64 // messages that were sent
	Taken     uint64 // messages that were taken through a window
	Routed    uint64 // messages whose name was that of the one before
}

// Quickly gives the counts.
func (s *sending) Quickly() Quickly { return s.quickly }

// KnowsName reports whether the name is the one that k sent last, which was checked then.
func (k *Ksock) KnowsName(name []byte) bool {
	return k.known.changes != 0 && string(name) == string(k.known.name)
}

// route is bindings.match for a message of k's. The list must not be changed.
func (b *Bus) route(k *Ksock, name []byte) (listeners []*binding, replier *binding) {
	p := &k.known
	if p.changes == b.bindings.changes && string(name) == string(p.name) && !b.slow {
		b.quickly.Routed++
		return p.listeners, p.replier
	}
	listeners, replier = b.bindings.match(name)
	listeners = b.allowed(listeners, name)
	if len(name) > mostKnownBytes || len(listeners) > mostKnownListeners {
		p.changes = 0
		return listeners, replier
	}
	p.name = append(p.name[:0], name...)
	clear(p.listeners)
	p.listeners = append(p.listeners[:0], listeners...)
	p.replier, p.changes = replier, b.bindings.changes
	return p.listeners, replier
}

// quickTake does what handOver does, for messages at the front of a queue that the client has taken and that make nothing
// else happen: no sender waits for room there, no event is set aside, and the messages need no Reply. It gives their
// number.
func (b *Bus) quickTake(k *Ksock, most int) int {
	for n := range most {
		if k.queue.at(0).mustReply() {
			return n
		}
		e := k.queue.remove(0)
		k.missed.reported, k.lastFrom = e.missed, e.msg.head.From
		b.letGo(e.msg, k.account)
		b.release(e.msg)
	}
	return most
}

// quick sends an announcement without a trace context to Listeners that all have room and belong to one user. It reports false, and has done
// nothing, if this message needs more thought. k has no message that waits for room.
func (b *Bus) quick(k *Ksock, h *message.Header, name, data []byte) (Outcome, bool) {
	p := &k.known
	if b.slow || p.changes != b.bindings.changes || len(p.listeners) == 0 || string(name) != string(p.name) ||
		h.Flags != 0 || h.ID.Network != 0 || !h.InReplyTo.IsZero() {
		return Outcome{}, false
	}
	pays := p.listeners[0].ksock.account
	for _, l := range p.listeners {
		if t := l.ksock; t.account != pays || t.onlyOnce || t.asideCount > 0 || t.load() >= t.maxMessages {
			return Outcome{}, false
		}
	}
	copies := len(p.listeners)
	cost := charge(len(name), len(data)) + int64(copies)*perCopy
	if b.accounts.fits(pays, cost, cost) != message.OK {
		return Outcome{}, false
	}
	b.quickly.Announced++
	m := b.own(h, name, data, copies, nil)
	head := &m.head
	head.ID, head.From, head.Extra = b.nextID(), k.id, 0
	k.lastSent = head.ID
	m.refs = int32(copies)
	m.holder = holder{pays, int32(copies)}
	b.accounts.charge(pays, cost)
	for _, l := range p.listeners {
		t := l.ksock
		t.queue.push(entry{msg: m, via: l, missed: t.missed.since}, false)
		t.missed.since, t.lastPushed = 0, head.ID
		b.wakes.reader(t)
	}
	b.Work(copies)
	return Outcome{ID: head.ID, Reached: uint32(copies)}, true
}
