package bus

import "kbus/message"

// What a bus must be able to do for somebody who joins it to others (part 9 of the specification), and no more: hold a
// would-be Replier until it is known that nobody else has the name, take a binding away that has lost its right, and
// deliver what was only overheard elsewhere to those who only listen here.

// Guard is asked before a Ksock becomes a Replier, or the proxy of one elsewhere. If done, the Bind ends in c; otherwise
// it goes on. It must not change the bus.
type Guard func(k *Ksock, name string, of message.Origin) (c message.Condition, done bool)

// SetGuard puts a guard before Bind; nil takes it away.
func (b *Bus) SetGuard(g Guard) { b.guard = g }

// Evict takes a replier binding from k, whether k likes it or not: as Unbind, except that it cannot fail because
// somebody who listens for bind events has no room; then the event is set aside as when k closes (R6.20). ErrNotBound
// if there is none.
func (b *Bus) Evict(k *Ksock, name string) message.Condition {
	n := k.find(name, true)
	if n == nil {
		return message.ErrNotBound
	}
	if b.reportBinds {
		b.safeUnbindEvent(n, nil)
	}
	b.undo(n)
	return message.OK
}

// SendToListeners is Send for a copy of what was said on another bus (B24): whatever the message is, it goes to
// Listeners only. A Request needs no Replier and nobody owes an answer; a Reply has no addressee, for its To is the
// number of a Ksock elsewhere, and is 0 here.
func (b *Bus) SendToListeners(k *Ksock, h *message.Header, name, data []byte) Outcome {
	head := *h
	head.To = 0
	b.plan.aside = true
	return b.send(k, &head, name, data)
}

// Open reports whether the Ksock is still open.
func (k *Ksock) Open() bool { return k.open }

// Ksock finds an open Ksock by its id, or nil.
func (b *Bus) Ksock(id uint32) *Ksock { return b.ksocks[id] }
