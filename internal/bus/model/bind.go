package model

import "kbus.example/kbus/message"

// Binding, unbinding, and the question which Ksocks are bound.

// checkBinding is checks 2 to 5 of R3.21: the length comes before the form (R1.19).
func checkBinding(k *Ksock, name string) message.Condition {
	switch {
	case len(name) == 0:
		return message.ErrBadName
	case len(name) > 1000:
		return message.ErrNameTooLong
	case !ValidBinding(name, k.original):
		return message.ErrBadName
	}
	return message.OK
}

// Bind binds a name (R3.20-R3.25).
func (b *Bus) Bind(k *Ksock, name string, replier bool) message.Condition {
	return b.bind(&binding{ksock: k, replier: replier, name: name})
}

func (b *Bus) bind(x *binding) message.Condition {
	name := x.name
	if c := checkBinding(x.ksock, name); c != message.OK {
		return c
	}
	if x.replier {
		if name == message.NameReplierBindEvent {
			return message.ErrBadName // check 6
		}
		if b.replierOf(name) != nil {
			return message.ErrReplierBound // check 7, R1.26, R6.17
		}
	}
	if c := b.tooMany(x); c != message.OK {
		return c
	}
	if x.replier {
		if b.reportBinds == 1 && !b.event(true, x) {
			return message.ErrEventUndelivered // check 8, R3.22
		}
	}
	b.bindings = append([]*binding{x}, b.bindings...)
	if x.replier {
		replierCame(b, x)
	}
	return message.OK
}

// tooMany is F49: 16 bindings of one name by a Ksock, and so many with a wildcard by a user.
func (b *Bus) tooMany(x *binding) message.Condition {
	same, wildcards := 0, 0
	for _, y := range b.bindings {
		if y.ksock == x.ksock && y.name == x.name {
			same++
		}
		if y.ksock.uid == x.ksock.uid && hasWildcard(y.name) {
			wildcards++
		}
	}
	switch most := b.config.UserWildcards; {
	case same >= 16:
		return message.ErrSameBinding
	case most != 0 && hasWildcard(x.name) && wildcards >= most:
		return message.ErrUserWildcards
	}
	return message.OK
}

func hasWildcard(name string) bool {
	last := name[len(name)-1]
	return last == '*' || last == '%'
}

// Unbind removes the newest such binding of this Ksock (R3.27, R6.1, R6.2).
func (b *Bus) Unbind(k *Ksock, name string, replier bool) message.Condition {
	if c := checkBinding(k, name); c != message.OK {
		return c
	}
	var x *binding
	for _, y := range b.bindings {
		if x == nil && y.ksock == k && (y.replier || y.standby) == replier && y.name == name {
			x = y
		}
	}
	if x == nil {
		return message.ErrNotBound
	}
	if x.replier && b.reportBinds == 1 && !b.event(false, x) { // (a), R6.6
		return message.ErrEventUndelivered
	}
	b.undo(k, x)
	if x.replier {
		promote(b, name, nil)
	}
	return message.OK
}

// Evict is Unbind of a Replier's binding by a Limpet, which cannot fail for lack of room: the event is set aside
// then, as when a Ksock closes (R6.20).
func (b *Bus) Evict(k *Ksock, name string) message.Condition {
	x := b.replierOf(name)
	if x == nil || x.ksock != k {
		return message.ErrNotBound
	}
	if b.reportBinds == 1 {
		b.safeEvent(false, x, nil)
	}
	b.undo(k, x)
	for _, y := range clone(b.bindings) {
		if y.standby && y.name == name {
			b.removeBinding(y)
		}
	}
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
		passOn(k, i)
		k.queue = withoutAt(k.queue, i)
		if m.Flags.Has(message.WantYouToReply) { // F13: stateful ones and one's own too
			answer(b, message.NameUnbound, k.id, request{m.ID, m.From})
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
func (b *Bus) Replier(name string) message.KsockID {
	if x := b.replierOf(name); x != nil {
		return x.ksock.id
	}
	return 0
}

// recipients are the listener bindings that match a name, newest first, and the best replier binding (R4.10).
func (b *Bus) recipients(name string) (replier *binding, listeners []*binding) {
	for _, x := range b.bindings {
		switch {
		case x.standby || !matches(x.name, name):
		case !x.replier:
			listeners = append(listeners, x)
		case replier == nil || betterThan(x.name, replier.name):
			replier = x
		}
	}
	return replier, listeners
}

// Who gives the Ksocks that would get a message of that name now: the Replier if it were a Request (0 for none), and the Listeners,
// one for each binding, newest first. These are Ksock ids.
func (b *Bus) Who(name string) (replier message.KsockID, listeners []message.KsockID) {
	x, ys := b.recipients(name)
	if x != nil {
		replier = x.ksock.id
	}
	for _, y := range ys {
		listeners = append(listeners, y.ksock.id)
	}
	return replier, listeners
}
