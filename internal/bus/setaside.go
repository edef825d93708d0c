package bus

import "kbus.example/kbus/message"

// Events that could not be delivered wait here, oldest first, until their Ksocks catch up: one moves to the back of a
// Ksock's queue after each message that the Ksock reads (R6.29). The strict Ksocks have one list together, as in the
// original; each other Ksock has a list of its own, so that a slow one fills no other's. A list is bounded. One that
// would grow too long has "gone tragic": until it is empty again further events are lost, and each Ksock gets one
// `$.KBUS.UnbindEventsLost` about that (R6.21).

// Each event is in two chains, one of its list and one of its Ksock, so the events of one Ksock are found without a
// search.

type asideEvent struct {
	ksock        *Ksock
	via          *binding
	msg          *stored
	number       uint64
	older, newer *asideEvent // of the list
	next         *asideEvent // of the Ksock's, the next newer one
}

type setAside struct {
	oldest, newest *asideEvent
	count          int
	number         uint64 // of the newest there ever was
	tragic         bool
}

// notices is the replier bind events of a Ksock that lie beside its queue.
type notices struct {
	asks       bool      // for replier bind events
	aside      asideList // those that are set aside for this Ksock
	asideCount uint32    // how many
	asideOwn   setAside  // unless it is strict, the list that they are in
}

// asideList is the events for one Ksock, oldest first.
type asideList struct{ oldest, newest *asideEvent }

func (e *asideEvent) real() bool { return string(e.msg.name()) != message.NameUnbindEventsLost }

// asideOf is the list that k's events are in.
func (b *Bus) asideOf(k *Ksock) *setAside {
	if k.strict {
		return &b.bindings.aside
	}
	return &k.asideOwn
}

// setAside sets an event aside for the listeners of that list. Among strict ones it includes those with room, so that
// all of them see one order (R6.20, B42).
func (b *Bus) setAside(a *setAside, m *stored, listeners []*binding, in func(*binding) bool) {
	n := 0
	for _, l := range listeners {
		if in(l) {
			n++
		}
	}
	b.Work(len(listeners))
	if !a.tragic && a.count+n <= b.config.MaxSetAside {
		for _, l := range listeners {
			if in(l) {
				b.addAside(l, m)
			}
		}
		return
	}
	a.tragic = true
	// Each lost event takes a serial number for its notice, also when all Ksocks have a notice already.
	lost := b.make(&message.Header{ID: b.nextID(), Flags: message.Synthetic}, message.NameUnbindEventsLost, nil)
	lost.refs++
	defer b.release(lost)
	last := a.newest // real event
	for last != nil && !last.real() {
		last = last.older
	}
	for _, l := range listeners {
		if !in(l) {
			continue
		}
		// A Ksock with a notice behind its last real event has that notice as its newest.
		if n := l.ksock.aside.newest; n == nil || n.real() || last != nil && n.number < last.number {
			b.addAside(l, lost)
		}
	}
}

func (b *Bus) addAside(l *binding, m *stored) {
	k := l.ksock
	a := b.asideOf(k)
	m.refs++
	b.hold(m, k.account)
	a.number++
	e := &asideEvent{ksock: k, via: l, msg: m, number: a.number, older: a.newest}
	if a.newest != nil {
		a.newest.newer = e
	} else {
		a.oldest = e
	}
	a.newest = e
	if k.aside.newest != nil {
		k.aside.newest.next = e
	} else {
		k.aside.oldest = e
	}
	k.aside.newest = e
	a.count++
	k.asideCount++
	b.wakes.reader(k)
}

// moveAside moves k's oldest set-aside event, if any, to the back of its queue. No test of room, but only-once applies
// (F5).
func (b *Bus) moveAside(k *Ksock) {
	e := k.aside.oldest
	if e == nil {
		return
	}
	if k.aside.oldest = e.next; e.next == nil {
		k.aside.newest = nil
	}
	if !k.hadJust(e.msg) {
		b.enqueue(k, e.msg, e.via, false)
	}
	b.forgetAside(e)
}

// dropAside drops k's events that came through a binding, or all.
func (b *Bus) dropAside(k *Ksock, via *binding) {
	all := k.aside.oldest
	k.aside = asideList{}
	for e := all; e != nil; {
		next := e.next
		if via == nil || e.via == via {
			b.forgetAside(e)
		} else {
			if e.next = nil; k.aside.newest != nil {
				k.aside.newest.next = e
			} else {
				k.aside.oldest = e
			}
			k.aside.newest = e
		}
		e = next
	}
}

// forgetAside takes an event that is no longer in its Ksock's chain out of the list.
func (b *Bus) forgetAside(e *asideEvent) {
	a := b.asideOf(e.ksock)
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		a.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		a.newest = e.older
	}
	a.count--
	e.ksock.asideCount--
	b.letGo(e.msg, e.ksock.account)
	b.release(e.msg)
	if a.count == 0 {
		a.tragic = false
	}
}
