package model

import "kbus/message"

// Replier bind events, and the list of those that had to be set aside (R6.11-R6.32).

// event tells all who listen that a Replier's binding is made or removed, all or nothing (R6.12-R6.16). The closing
// Ksock, if one is, is not among them (F15). A Listener with set-aside events has no room (F16).
func (b *Bus) event(bind bool, x *binding, closing *Ksock) bool {
	return b.tellAll(b.newEvent(bind, x), b.eventListeners(closing))
}

func (b *Bus) tellAll(e message.Message, listeners []*binding) bool {
	for _, x := range listeners {
		if !x.ksock.room() || b.numAside(x.ksock) > 0 {
			return false
		}
	}
	for _, x := range listeners {
		b.pushOnce(copied{Message: e, to: x.ksock, via: x})
	}
	return true
}

// newEvent is a ReplierBindEvent (R6.12, R6.13), of a proxy with the origin of whom it stands for. Making it takes a
// serial number, delivered or not (R6.16).
func (b *Bus) newEvent(bind bool, x *binding) message.Message {
	return message.Message{
		Header: message.Header{ID: b.localID(), OrigFrom: x.of, Flags: message.Synthetic | message.AllOrFail},
		Name:   message.NameReplierBindEvent,
		Data:   message.AppendBindEvent(nil, message.BindEvent{Bind: bind, Binder: x.ksock.id, Name: x.name}),
	}
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

// safeUnbindEvent tells that x is removed because its Ksock closes, or by eviction: at once if all have room, else it is
// set aside for all (R6.20). When too many are, each is told that it has missed some, once, and no more are set aside until the
// list is empty (R6.21, R6.22).
func (b *Bus) safeUnbindEvent(x *binding, closing *Ksock) {
	listeners := b.eventListeners(closing)
	e := b.newEvent(false, x)
	if b.tellAll(e, listeners) {
		return
	}
	if !b.tragic && len(b.aside)+len(listeners) <= or(b.config.MaxSetAside, 1000) {
		for _, y := range listeners {
			b.setAside(copied{Message: e, to: y.ksock, via: y})
		}
		return
	}
	b.tragic = true
	lost := message.Message{
		Header: message.Header{ID: b.localID(), Flags: message.Synthetic},
		Name:   message.NameUnbindEventsLost,
	}
	for _, y := range listeners {
		if !b.toldOfLoss(y.ksock) {
			b.setAside(copied{Message: lost, to: y.ksock, via: y})
		}
	}
}

// setAside appends to the list. What is set aside counts as readable (F5).
func (b *Bus) setAside(m copied) {
	b.aside = append(b.aside, m)
	b.wake(m.to)
}

// toldOfLoss says whether an UnbindEventsLost for k stands after the last real event of the list (R6.21).
func (b *Bus) toldOfLoss(k *Ksock) bool {
	told := false
	for _, m := range b.aside {
		if m.Name != message.NameUnbindEventsLost {
			told = false
		} else if m.to == k {
			told = true
		}
	}
	return told
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
	b.tragic = b.tragic && len(b.aside) > 0 // R6.30
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
	b.tragic = b.tragic && len(b.aside) > 0
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
		for _, x := range repliers {
			b.push(copied{Message: b.newEvent(true, x), to: k})
		}
	}
	return setSwitch(&b.reportBinds, v)
}
