package bus

import (
	"slices"

	"kbus.example/kbus/message"
)

// Replier bind events tell the Listeners to `$.KBUS.ReplierBindEvent` when a name gets or loses its Replier. For a
// Listener without room the event is set aside (setaside.go), so a stopped Listener holds no other Ksock up. In the
// original that was so for a close only, which cannot fail; a bind or unbind failed unless all Listeners had room. Here
// that holds for *strict* Listeners only: original Ksocks whose user may administer the bus, and whose picture of the
// Repliers is therefore never even late (F42).

const bindEventFlags = message.Synthetic | message.AllOrFail // R6.12

// newBindEvent makes the event, with its own serial number. It has no reference yet.
func (b *Bus) newBindEvent(bind bool, n *binding) *stored {
	data := message.AppendBindEvent(nil, message.BindEvent{Bind: bind, Binder: n.ksock.id, Name: n.name})
	h := message.Header{ID: b.nextID(), OrigFrom: n.of, Flags: bindEventFlags}
	return b.make(&h, message.NameReplierBindEvent, data)
}

// bindEvent delivers the event of a Bind or Unbind to all its Listeners. If a strict one has no room, no Listener gets
// the event, and it reports false (R6.16); b.behind then names the Ksock.
func (b *Bus) bindEvent(bind bool, n *binding) bool {
	m := b.newBindEvent(bind, n)
	m.refs++
	defer b.release(m)
	listeners := b.eventListeners(nil)
	if b.behind = b.strictBehind(listeners, m); len(b.behind) > 0 {
		return false
	}
	b.spread(m, listeners, false)
	return true
}

// safeEvent delivers the event of a replier binding that goes, or of one that stood by and takes its place, in a way that
// cannot fail: it is set aside for those without room (R6.20). A Ksock that is closing is no recipient (F15). It gives how many
// bindings listen.
func (b *Bus) safeEvent(bind bool, n *binding, closing *Ksock) (listeners int) {
	m := b.newBindEvent(bind, n)
	m.refs++
	defer b.release(m)
	all := b.eventListeners(closing)
	b.spread(m, all, len(b.strictBehind(all, m)) > 0)
	return len(all)
}

// spread gives an event to all its Listeners, newest binding first. If it is set aside for one strict Listener it is
// set aside for all strict ones; each other Listener gets it if it has room.
func (b *Bus) spread(m *stored, listeners []*binding, asideForStrict bool) {
	if asideForStrict {
		b.setAside(&b.bindings.aside, m, listeners, func(l *binding) bool { return l.ksock.strict })
	}
	var reached, aside uint32
	for i, l := range listeners {
		switch {
		case l.ksock.strict && asideForStrict:
			aside++
		case l.ksock.strict || b.canTakeEvent(l.ksock, m):
			b.pushToListener(l, m)
			reached++
		default:
			aside++
			b.setAside(&l.ksock.asideOwn, m, listeners[i:i+1], func(*binding) bool { return true })
		}
	}
	b.showOwn(EventSent, m, reached, aside)
}

// eventListeners gives the bindings that listen for bind events, newest first, without those of one Ksock. The list is
// valid until the next match.
func (b *Bus) eventListeners(except *Ksock) []*binding {
	all, _ := b.bindings.match([]byte(message.NameReplierBindEvent))
	all = b.allowed(all, []byte(message.NameReplierBindEvent))
	kept := all[:0]
	for _, l := range all {
		if l.ksock != except {
			kept = append(kept, l)
		}
	}
	return kept
}

// canTakeEvent reports whether k has room. While it has set-aside events it has none, or a new event would overtake them
// (F16).
func (b *Bus) canTakeEvent(k *Ksock, m *stored) bool {
	bill := &b.plan.bill
	bill.begin(m.charge(), m)
	return b.hasRoom(k) && k.asideCount == 0 && b.afford(k, bill) == message.OK
}

// strictBehind gives the strict Ksocks that have no room, each once.
func (b *Bus) strictBehind(listeners []*binding, m *stored) (behind []*Ksock) {
	for _, l := range listeners { // first all of them, so that what was taken is known before anything is set aside
		b.SyncWindow(l.ksock)
	}
	b.Work(len(listeners))
	bill := &b.plan.bill
	bill.begin(m.charge(), m)
	for _, l := range listeners {
		k := l.ksock
		if k.strict && (!b.hasRoom(k) || k.asideCount > 0 || b.afford(k, bill) != message.OK) && !slices.Contains(behind, k) {
			behind = append(behind, k)
		}
	}
	return behind
}
