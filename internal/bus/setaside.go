package bus

import "kbus/message"

// Unbind events that could not be delivered when a Replier closed wait here, one list for the whole bus, oldest
// first, until their Ksocks catch up: one is moved to the back of a Ksock's queue after each message that it reads
// (R6.29). The list is bounded. When it would grow too long it has "gone tragic": further events are lost, and each
// Ksock is told so once by `$.KBUS.UnbindEventsLost`, until the list is empty again (R6.21).

type asideEvent struct {
	ksock *Ksock
	via   *binding
	msg   *stored
}

type setAside struct {
	list   []asideEvent
	tragic bool
}

// setAside notes an event for all its listeners, those with room too, so that all see the same order (R6.20, B42).
func (b *Bus) setAside(m *stored, listeners []*binding) {
	a := &b.aside
	if !a.tragic && len(a.list)+len(listeners) <= b.config.MaxSetAside {
		for _, l := range listeners {
			b.addAside(asideEvent{l.ksock, l, m})
		}
		return
	}
	a.tragic = true
	// Each lost event takes a serial number for its notice, also when everybody has been told already.
	lost := b.make(&message.Header{ID: b.nextID(), Flags: message.Synthetic}, message.NameUnbindEventsLost, nil)
	lost.refs++
	defer b.release(lost)
	for _, l := range listeners {
		if !a.knowsOfLoss(l.ksock) {
			b.addAside(asideEvent{l.ksock, l, lost})
		}
	}
}

func (b *Bus) addAside(e asideEvent) {
	e.msg.refs++
	b.aside.list = append(b.aside.list, e)
	e.ksock.asideCount++
	b.wakes.reader(e.ksock)
}

// knowsOfLoss reports whether k has an UnbindEventsLost after the last real event of the list.
func (a *setAside) knowsOfLoss(k *Ksock) bool {
	for i := len(a.list) - 1; i >= 0; i-- {
		e := &a.list[i]
		if string(e.msg.name()) != message.NameUnbindEventsLost {
			return false
		}
		if e.ksock == k {
			return true
		}
	}
	return false
}

// moveAside moves k's oldest set-aside event, if any, to the back of its queue. No test of room, but only-once applies
// (F5).
func (b *Bus) moveAside(k *Ksock) {
	if k.asideCount == 0 {
		return
	}
	moved := false
	b.aside.drop(b, func(e *asideEvent) bool {
		if moved || e.ksock != k {
			return false
		}
		moved = true
		b.pushToListener(e.via, e.msg)
		return true
	})
}

// drop removes the events for which gone says so.
func (a *setAside) drop(b *Bus, gone func(*asideEvent) bool) {
	kept := a.list[:0]
	for i := range a.list {
		e := a.list[i]
		if !gone(&e) {
			kept = append(kept, e)
			continue
		}
		e.ksock.asideCount--
		b.release(e.msg)
	}
	clear(a.list[len(kept):])
	a.list = kept
	if len(kept) == 0 {
		*a = setAside{}
	}
}
