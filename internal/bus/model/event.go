package model

import "kbus.example/kbus/message"

// Replier bind events, and the list of those that had to be set aside (R6.11-R6.32).

// event tells all Listeners that a Replier's binding is made or removed. If a strict one has no room it tells none
// (R6.12-R6.16, F42).
func (b *Bus) event(bind bool, x *binding) bool {
	e, listeners := b.newEvent(bind, x), b.eventListeners(nil)
	if !b.strictHaveRoom(e, listeners) {
		return false
	}
	b.notify(e, listeners, false)
	return true
}

// hasEventRoom: a Listener with set-aside events has no room (F16).
func (b *Bus) hasEventRoom(l *bill, k *Ksock, e copied) bool {
	return b.numAside(k) == 0 && b.admits(l, k, e)
}

func (b *Bus) strictHaveRoom(e copied, listeners []*binding) bool {
	var l bill
	for _, x := range listeners {
		if x.ksock.original && !b.hasEventRoom(&l, x.ksock, e) {
			return false
		}
	}
	return true
}

// tell gives an event to all, or sets it aside: for all strict ones, or for each of the others that has no room.
func (b *Bus) notify(e copied, listeners []*binding, asideForStrict bool) {
	var strict []*binding
	for _, x := range listeners {
		if x.ksock.original {
			strict = append(strict, x)
		}
	}
	if asideForStrict {
		b.setAsideFor(e, strict, &b.tragic, func(m copied) bool { return m.to.original })
	}
	for _, x := range listeners {
		switch {
		case x.ksock.original && asideForStrict:
		case x.ksock.original || b.hasEventRoom(new(bill), x.ksock, e):
			b.pushOnce(e.forListener(x))
		default:
			b.setAsideFor(e, []*binding{x}, &x.ksock.tragic, func(m copied) bool { return m.to == x.ksock })
		}
	}
}

// newEvent is a ReplierBindEvent (R6.12, R6.13), of a proxy with the origin of its Replier. Making it takes a
// serial number, delivered or not (R6.16).
func (b *Bus) newEvent(bind bool, x *binding) copied {
	return copied{number: b.newNumber(), Message: message.Message{
		Header: message.Header{ID: b.localID(), OrigFrom: x.of, Flags: message.Synthetic | message.AllOrFail},
		Name:   message.NameReplierBindEvent,
		Data:   message.AppendBindEvent(nil, message.BindEvent{Bind: bind, Binder: x.ksock.id, Name: x.name}),
	}}
}

// forListener is the copy for one binding.
func (m copied) forListener(x *binding) copied {
	m.to, m.via = x.ksock, x
	return m
}

// eventListeners are the bindings that events go to, newest first (R6.14), without those of the closing Ksock (F15).
func (b *Bus) eventListeners(closing *Ksock) (open []*binding) {
	_, all := b.recipients(message.NameReplierBindEvent)
	for _, x := range all {
		if x.ksock != closing {
			open = append(open, x)
		}
	}
	return open
}

// safeEvent tells that x is removed because its Ksock closes, or by eviction, or that it takes the place of one that has gone,
// without the closing Ksock (F15): at
// once to the Listeners that have room, of the strict ones only if all have; else it is set aside (R6.20).
func (b *Bus) safeEvent(bind bool, x *binding, closing *Ksock) {
	listeners := b.eventListeners(closing)
	e := b.newEvent(bind, x)
	b.notify(e, listeners, !b.strictHaveRoom(e, listeners))
}

// setAsideFor sets an event aside. When too many are, each gets one notice that it has missed some, and no more are set
// aside until the list is empty (R6.21, R6.22). The strict Ksocks have one list, each other has its own: which is the
// list, tragic says that it has been too long.
func (b *Bus) setAsideFor(e copied, listeners []*binding, tragic *bool, which func(copied) bool) {
	n := len(listeners)
	for _, m := range b.aside {
		if which(m) {
			n++
		}
	}
	if !*tragic && n <= or(b.config.MaxSetAside, 1000) {
		for _, y := range listeners {
			b.setAside(e.forListener(y))
		}
		return
	}
	*tragic = true
	lost := copied{number: b.newNumber(), Message: message.Message{
		Header: message.Header{ID: b.localID(), Flags: message.Synthetic},
		Name:   message.NameUnbindEventsLost,
	}}
	for _, y := range listeners {
		if !b.notifiedOfLoss(y.ksock, which) {
			b.setAside(lost.forListener(y))
		}
	}
}

// setAside appends to the list. What is set aside counts as readable (F5).
func (b *Bus) setAside(m copied) {
	b.aside = append(b.aside, m)
	b.wake(m.to)
}

// toldOfLoss says whether an UnbindEventsLost for k stands after the last real event of the list (R6.21).
func (b *Bus) notifiedOfLoss(k *Ksock, which func(copied) bool) bool {
	notified := false
	for _, m := range b.aside {
		if !which(m) {
			continue
		}
		if m.Name != message.NameUnbindEventsLost {
			notified = false
		} else if m.to == k {
			notified = true
		}
	}
	return notified
}

// numAside counts the set-aside events of a Ksock (R3.75).
func (b *Bus) numAside(k *Ksock) (n int) {
	for _, m := range b.aside {
		if m.to == k {
			n++
		}
	}
	return n
}

// moveAside moves the oldest set-aside event of k, if it has one, to the back of its queue (R6.29), where only-once may
// swallow it.
func (b *Bus) moveAside(k *Ksock) {
	for i, m := range b.aside {
		if m.to == k {
			b.pushOnce(m)
			b.aside = withoutAt(b.aside, i)
			break
		}
	}
	b.endTragedies() // R6.30
}

// dropAside forgets some set-aside events. An empty list is tragic no more (R6.21).
func (b *Bus) dropAside(which func(copied) bool) {
	var left []copied
	for _, m := range b.aside {
		if !which(m) {
			left = append(left, m)
		}
	}
	b.aside = left
	b.endTragedies()
}

func (b *Bus) endTragedies() {
	ofStrict := false
	for _, m := range b.aside {
		ofStrict = ofStrict || m.to.original
	}
	b.tragic = b.tragic && ofStrict
	for _, k := range b.ksocks {
		k.tragic = k.tragic && b.numAside(k) > 0
	}
}

// ReportReplierBinds turns the events on or off, or just asks, and gives the former setting (R3.83). Turning them on,
// even if they were on already (R3.84), first puts an event for each replier binding, newest first, on the queue of the
// Ksock that asks (R6.24), or fails for lack of room and changes nothing (F41).
func (b *Bus) ReportReplierBinds(k *Ksock, v uint32) (old uint32, c message.Condition) {
	if v == 1 {
		var repliers []*binding
		for _, x := range b.bindings {
			if x.replier {
				repliers = append(repliers, x)
			}
		}
		if n := len(repliers); n > 0 && len(k.queue)+len(k.outstanding)+n > int(k.maxMessages) {
			return 0, message.ErrReportFull
		}
		var l bill
		for _, x := range repliers {
			data := 12 + (len(x.name)/4+1)*4 // R6.13
			l = append(l, item{uid: k.uid, bytes: 128 + len(message.NameReplierBindEvent) + data + 64})
		}
		if len(l) > 0 && b.fits(l, k.uid) != message.OK {
			return 0, message.ErrReportFull
		}
		for _, x := range repliers {
			e := b.newEvent(true, x)
			e.to = k
			b.push(e)
		}
		k.asks, b.strictAsk = !k.original, b.strictAsk || k.original
	}
	if old, c = setSwitch(&b.reportBinds, v); v == 0 {
		for _, other := range b.ksocks {
			other.asks = false
		}
		b.strictAsk = false
	}
	return old, c
}

// askNoMore is for a Ksock that closes: with the last that has asked for events they go off (F45). What a strict one asks,
// all strict ones have asked: for the original's programs it is a switch of the device, and stays when its owner closes.
func (b *Bus) askNoMore(k *Ksock) {
	k.asks = false
	asked, strict := false, false
	for _, other := range b.ksocks {
		asked = asked || other.asks
		strict = strict || other.original && other != k
	}
	b.strictAsk = b.strictAsk && strict
	if !asked && !b.strictAsk {
		b.reportBinds = 0
	}
}
