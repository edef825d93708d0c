package model

import "kbus/message"

// Binding, unbinding, and asking who is bound.

// checkBinding is checks 2 to 5 of R3.21: the length comes before the form (R1.19).
func checkBinding(name string) message.Condition {
	switch {
	case len(name) == 0:
		return message.ErrBadName
	case len(name) > 1000:
		return message.ErrNameTooLong
	case !ValidBinding(name):
		return message.ErrBadName
	}
	return message.OK
}

// Bind binds a name (R3.20-R3.25).
func (b *Bus) Bind(k *Ksock, name string, replier bool) message.Condition {
	return b.bind(&binding{k, replier, name, message.Origin{}})
}

func (b *Bus) bind(x *binding) message.Condition {
	name := x.name
	if c := checkBinding(name); c != message.OK {
		return c
	}
	if x.replier {
		if name == message.NameReplierBindEvent {
			return message.ErrBadName // check 6
		}
		if b.replierOf(name) != nil {
			return message.ErrReplierBound // check 7, R1.26, R6.17
		}
		if b.reportBinds == 1 && !b.event(true, x, nil) {
			return message.ErrEventUndelivered // check 8, R3.22
		}
	}
	b.bindings = append([]*binding{x}, b.bindings...)
	return message.OK
}

// Unbind removes the newest such binding of this Ksock (R3.27, R6.1, R6.2).
func (b *Bus) Unbind(k *Ksock, name string, replier bool) message.Condition {
	if c := checkBinding(name); c != message.OK {
		return c
	}
	var x *binding
	for _, y := range b.bindings {
		if x == nil && y.ksock == k && y.replier == replier && y.name == name {
			x = y
		}
	}
	if x == nil {
		return message.ErrNotBound
	}
	if replier && b.reportBinds == 1 && !b.event(false, x, nil) { // (a), R6.6
		return message.ErrEventUndelivered
	}
	b.undo(k, x)
	return message.OK
}

// Evict is Unbind of a Replier's binding by somebody else, which cannot fail for lack of room: the event is set aside
// then, as when a Ksock closes (R6.20).
func (b *Bus) Evict(k *Ksock, name string) message.Condition {
	x := b.replierOf(name)
	if x == nil || x.ksock != k {
		return message.ErrNotBound
	}
	if b.reportBinds == 1 {
		b.safeUnbindEvent(x, nil)
	}
	b.undo(k, x)
	return message.OK
}

// undo is what follows the event (R6.1).
func (b *Bus) undo(k *Ksock, x *binding) {
	before := len(k.queue)
	for i := 0; i < len(k.queue); { // (b), R6.3-R6.5
		m := k.queue[i]
		if m.via != x {
			i++
			continue
		}
		k.queue = withoutAt(k.queue, i)
		if m.Flags.Has(message.WantYouToReply) { // F13: stateful ones and one's own too
			b.status(message.NameUnbound, k.id, request{m.ID, m.From})
		}
	}
	b.dropAside(func(m copied) bool { return m.via == x }) // (c), F17
	b.removeBinding(x)                                     // (d)
	if len(k.queue) < before {                             // (e)
		b.moveAside(k)
	}
}

func (b *Bus) removeBinding(x *binding) { b.bindings = without(b.bindings, x) }

// replierOf is the replier binding of exactly that text, nil if there is none.
func (b *Bus) replierOf(name string) *binding {
	for _, x := range b.bindings {
		if x.replier && x.name == name {
			return x
		}
	}
	return nil
}

// Replier is REPLIER: the id of the Ksock that is bound as Replier to exactly that text, 0 if there is none
// (R3.31, R3.32).
func (b *Bus) Replier(name string) uint32 {
	if x := b.replierOf(name); x != nil {
		return x.ksock.id
	}
	return 0
}

// recipients are the listener bindings that match a name, newest first, and the best replier binding (R4.10).
func (b *Bus) recipients(name string) (replier *binding, listeners []*binding) {
	for _, x := range b.bindings {
		switch {
		case !matches(x.name, name):
		case !x.replier:
			listeners = append(listeners, x)
		case replier == nil || betterThan(x.name, replier.name):
			replier = x
		}
	}
	return replier, listeners
}

// Who is who would get a message of that name now: the Replier if it were a Request (0 for none), and the Listeners,
// one for each binding, newest first. These are Ksock ids.
func (b *Bus) Who(name string) (replier uint32, listeners []uint32) {
	x, ys := b.recipients(name)
	if x != nil {
		replier = x.ksock.id
	}
	for _, y := range ys {
		listeners = append(listeners, y.ksock.id)
	}
	return replier, listeners
}
