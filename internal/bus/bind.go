package bus

import "kbus/message"

// Bind makes k a Listener or the Replier for a name or wildcard (R3.21): OK, ErrBadName (also for an empty name and for
// a Replier of the bind event itself), ErrNameTooLong, ErrReplierBound, ErrEventUndelivered, ErrUserBindings,
// ErrBusBindings, or what the bus's guard says. The bind event goes out before the binding takes effect (R3.22).
func (b *Bus) Bind(k *Ksock, name string, replier bool) message.Condition {
	return b.bind(&binding{ksock: k, name: name, replier: replier})
}

// BindProxy makes k, which must carry (ErrNotPermitted), the Replier for a name in the stead of one on another bus:
// bind events tell its origin, in orig_from. Else it is Bind.
func (b *Bus) BindProxy(k *Ksock, name string, of message.Origin) message.Condition {
	if !k.carries {
		return message.ErrNotPermitted
	}
	return b.bind(&binding{ksock: k, name: name, replier: true, of: of})
}

func (b *Bus) bind(n *binding) message.Condition {
	k, name := n.ksock, n.name
	if c := message.CheckBinding(name); c != message.OK {
		return c
	}
	if n.replier {
		if name == message.NameReplierBindEvent {
			return message.ErrBadName
		}
		if b.guard != nil {
			if c, done := b.guard(k, name, n.of); done {
				return c
			}
		}
		if b.Replier(name) != 0 {
			return message.ErrReplierBound
		}
	}
	if c := b.accounts.bind(k.account); c != message.OK {
		return c
	}
	if n.replier && b.reportBinds && !b.bindEvent(true, n) {
		b.accounts.unbind(k.account)
		return message.ErrEventUndelivered
	}
	b.bindings.add(n)
	b.wakes.allPending()
	return message.OK
}

// Unbind takes back k's newest binding of that name and role (R6.1, R6.2), with what was queued through it:
// ErrNotBound, ErrEventUndelivered, or as Bind for the name.
func (b *Bus) Unbind(k *Ksock, name string, replier bool) message.Condition {
	if c := message.CheckBinding(name); c != message.OK {
		return c
	}
	n := k.find(name, replier)
	if n == nil {
		return message.ErrNotBound
	}
	if replier && b.reportBinds && !b.bindEvent(false, n) {
		return message.ErrEventUndelivered
	}
	b.undo(n)
	return message.OK
}

// undo takes a binding away with all that came through it.
func (b *Bus) undo(n *binding) {
	k := n.ksock
	b.Settle(k)
	b.reclaim(k)
	before := k.queue.len()
	b.withdraw(n)
	b.aside.drop(b, func(e *asideEvent) bool { return e.via == n }) // F17
	b.unbind(n)
	if k.queue.len() < before {
		b.moveAside(k)
	}
}

// unbind removes a binding that nothing refers to any more.
func (b *Bus) unbind(n *binding) {
	b.bindings.remove(n)
	b.accounts.unbind(n.ksock.account)
	b.wakes.allPending()
}

// withdraw takes every message that was queued through n out of its Ksock's queue, front to back. A Request that must
// be answered gets its Unbound, even when the Ksock asked itself (F13).
func (b *Bus) withdraw(n *binding) {
	k := n.ksock
	for i, left := 0, k.queue.len(); left > 0; left-- {
		if k.queue.at(i).via != n {
			i++
			continue
		}
		e := b.take(k, i)
		if e.mustReply {
			b.statusTo(message.NameUnbound, k.id, e.msg.head.From, e.msg.head.ID)
		}
		b.release(e.msg)
	}
}
