package bus

import "kbus/message"

// Replier bind events tell those who listen for `$.KBUS.ReplierBindEvent` who replies to what (part 6.3). On bind and
// unbind everybody gets the event or the operation fails, so a listener's picture is never wrong. On close, which
// cannot fail, the event is set aside for those who have no room; see setaside.go.

const bindEventFlags = message.Synthetic | message.AllOrFail // R6.12

// newBindEvent makes the event, with its own serial number. It has no reference yet.
func (b *Bus) newBindEvent(bind bool, n *binding) *stored {
	data := message.AppendBindEvent(nil, message.BindEvent{Bind: bind, Binder: n.ksock.id, Name: n.name})
	h := message.Header{ID: b.nextID(), OrigFrom: n.of, Flags: bindEventFlags}
	return b.make(&h, message.NameReplierBindEvent, data)
}

// bindEvent delivers the event of a Bind or Unbind to all who listen, or to nobody and reports false (R6.16).
func (b *Bus) bindEvent(bind bool, n *binding) bool {
	m := b.newBindEvent(bind, n)
	m.refs++
	defer b.release(m)
	listeners := b.eventListeners(nil)
	if !b.canTakeEvent(listeners) {
		return false
	}
	for _, l := range listeners {
		b.pushToListener(l, m)
	}
	return true
}

// safeUnbindEvent delivers the event that a replier binding has been removed in a way that cannot fail, or sets it aside
// (R6.20). When its Ksock is closing, that one is no recipient (F15).
func (b *Bus) safeUnbindEvent(n *binding, closing *Ksock) {
	m := b.newBindEvent(false, n)
	m.refs++
	defer b.release(m)
	listeners := b.eventListeners(closing)
	if !b.canTakeEvent(listeners) {
		b.setAside(m, listeners)
		return
	}
	for _, l := range listeners {
		b.pushToListener(l, m)
	}
}

// eventListeners gives the bindings that listen for bind events, newest first, without those of one Ksock. The list is
// valid until the next match.
func (b *Bus) eventListeners(except *Ksock) []*binding {
	all, _ := b.bindings.match([]byte(message.NameReplierBindEvent))
	kept := all[:0]
	for _, l := range all {
		if l.ksock != except {
			kept = append(kept, l)
		}
	}
	return kept
}

// canTakeEvent reports whether all have room. Who still has set-aside events has none, or a new event would overtake
// them (F16).
func (b *Bus) canTakeEvent(listeners []*binding) bool {
	for _, l := range listeners { // first all of them, so that what was taken is known before anything is set aside
		b.Settle(l.ksock)
	}
	for _, l := range listeners {
		if !b.hasRoom(l.ksock) || l.ksock.asideCount > 0 {
			return false
		}
	}
	return true
}

// reportReplierBinds queues one event for each replier binding there is, newest first, for k alone and through no
// binding (R6.24). Without room for all of them nothing is queued (F41).
func (b *Bus) reportReplierBinds(k *Ksock) message.Condition {
	b.Settle(k)
	var repliers uint64
	for n := range b.Bindings() {
		if n.Replier {
			repliers++
		}
	}
	if repliers > 0 && uint64(k.load())+repliers > uint64(k.maxMessages) {
		return message.ErrReportFull
	}
	for n := b.bindings.newest; n != nil; n = n.older {
		if n.replier {
			b.push(k, entry{msg: b.newBindEvent(true, n)})
		}
	}
	return message.OK
}
