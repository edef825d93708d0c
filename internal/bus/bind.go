package bus

import "kbus.example/kbus/message"

// Binding and unbinding: what may be bound, and what becomes of messages and Requests when a binding goes. A Bind is decided here
// at once, or by who owns the bus, through its BindHook (see rules.go): then it waits, and comes again as BindDecided.

// Bind makes k a Listener or the Replier for a name or wildcard (R3.21): OK, ErrBadName (also for an empty name and for
// a Replier of the bind event itself), ErrNameTooLong, ErrReplierBound, ErrEventUndelivered, ErrSameBinding,
// ErrUserWildcards, ErrUserBindings, ErrBusBindings, or what the bus's BindHook says. The bind event goes out before the binding takes effect (R3.22).
func (b *Bus) Bind(k *Ksock, name string, replier bool) message.Condition {
	return b.bind(&binding{ksock: k, name: name, replier: replier}, b.bindHook)
}

// BindProxy makes k, which must carry (ErrNotPermitted), the Replier for a name in the stead of one on another bus:
// bind events tell its origin, in orig_from. Else it is Bind.
func (b *Bus) BindProxy(k *Ksock, name string, of message.Origin) message.Condition {
	if !k.carries {
		return message.ErrNotPermitted
	}
	return b.bind(&binding{ksock: k, name: name, replier: true, of: of}, b.bindHook)
}

// BindDecided is what BindProxy, or with the zero Origin Bind as Replier, does once the hook has been asked and has
// nothing against it.
func (b *Bus) BindDecided(k *Ksock, name string, of message.Origin) message.Condition {
	if !of.IsZero() && !k.carries {
		return message.ErrNotPermitted
	}
	return b.bind(&binding{ksock: k, name: name, replier: true, of: of}, nil)
}

func (b *Bus) bind(n *binding, hook BindHook) message.Condition {
	c := b.tryBind(n, hook)
	b.showBinding(EventBound, n, c)
	return c
}

func (b *Bus) tryBind(n *binding, hook BindHook) message.Condition {
	k, name := n.ksock, n.name
	if c := k.checkBinding(name); c != message.OK {
		return c
	}
	if c := b.mayBind(n); c != message.OK {
		return c
	}
	if n.replier {
		deposeExactly(b, name)
		if name == message.NameReplierBindEvent {
			return message.ErrBadName
		}
		if hook != nil {
			if c, done := hook(k, name, n.of); done {
				return c
			}
		}
		if b.Replier(name) != 0 {
			return message.ErrReplierBound
		}
	}
	n.wildcard = message.ClassOf(name) != message.Exact
	if k.same(b.bindings.group(name), n) >= maxSame {
		return message.ErrSameBinding
	}
	if c := b.accounts.bind(k.account, n.wildcard); c != message.OK {
		return c
	}
	if n.replier && b.reportBinds && !b.bindEvent(true, n) {
		b.accounts.unbind(k.account, n.wildcard)
		return message.ErrEventUndelivered
	}
	b.bindings.add(n)
	b.wakes.named(n.name)
	if n.replier {
		b.replierCame(n)
	}
	return message.OK
}

// Unbind takes back k's newest binding of that name and role (R6.1, R6.2), with what was queued through it:
// ErrNotBound, ErrEventUndelivered, or as Bind for the name.
func (b *Bus) Unbind(k *Ksock, name string, replier bool) message.Condition {
	if c := k.checkBinding(name); c != message.OK {
		return c
	}
	n := b.find(k, name, replier)
	if n == nil {
		return message.ErrNotBound
	}
	if n.replier && b.reportBinds && !b.bindEvent(false, n) {
		return message.ErrEventUndelivered
	}
	replier = n.replier
	b.undo(n)
	if replier {
		promote(b, name, nil)
	}
	return message.OK
}

// undo takes a binding away with all that came through it.
func (b *Bus) undo(n *binding) {
	k := n.ksock
	b.SyncWindow(k)
	b.reclaim(k)
	b.whole(k)
	before := k.queue.len()
	b.withdraw(n)
	b.dropAside(k, n) // F17
	b.unbind(n)
	if k.queue.len() < before {
		b.moveAside(k)
	}
	b.sweepHeaps(sweepPiece)
}

// unbind removes a binding that nothing refers to any more.
func (b *Bus) unbind(n *binding) {
	if !n.standby {
		b.showBinding(EventUnbound, n, message.OK)
	}
	b.bindings.remove(n)
	b.accounts.unbind(n.ksock.account, n.wildcard)
	b.discharge(n.ksock.account, cardCharge(n.card))
	b.wakes.named(n.name)
	n.ksock = nil // a Ksock that remembers the binding, see known, does not keep this one
}

// withdraw takes every message that was queued through n out of its Ksock's queue, front to back. A Request that must
// be answered gets its Unbound, even when the Ksock asked itself (F13). The search goes from both ends of the queue and
// stops when all are found: it touches only the messages between them.
func (b *Bus) withdraw(n *binding) {
	k := n.ksock
	if n.queued == 0 {
		return
	}
	q := &k.queue
	all := q.entries.len()
	from, to := 0, all // of what is not looked at
	most := all
	if b.tooMany(all, oneIf(n.replier)*n.queued) {
		if most = b.piece; n.queued > most || b.tooMany(0, oneIf(n.replier)*n.queued) {
			b.beginPurge(n)
			return
		}
	} else if n.queued > all/8 && !n.replier {
		from = all // it is everywhere
	}
	left := n.queued
	for left > 0 && from < to && from+all-to < most {
		if q.at(from).via == n {
			left--
		}
		from++
		if left > 0 && from < to {
			if to--; q.at(to).via == n {
				left--
			}
		}
	}
	if left > 0 && from < to {
		q.steps += most
		b.beginPurge(n)
		return
	}
	if !n.replier && from+all-to > all/2 {
		gone, missed := q.purge(n)
		k.missed.since = plus(k.missed.since, missed)
		b.heaps = append(b.heaps, &heap{entries: gone, account: k.account})
		b.Work(all / 16)
		b.wakes.room(k)
		return
	}
	gone := b.refuse(k.account)
	for i := 0; i < all; i++ {
		if i == from {
			if i = to; i == all {
				break
			}
		}
		if q.at(i).via != n {
			continue
		}
		k.passOn(i)
		e := q.cut(i)
		if n.replier {
			b.statusTo(message.NameUnbound, nil, k.id, e.msg.head.From, e.msg.head.ID)
		}
		gone.pushBack(e)
	}
	if to < all {
		q.closeUp(to, q.entries.len()) // with its Statuses, if it asked itself
	}
	q.closeUp(0, from)
	q.tidy()
	q.steps += from + all - to
	b.Work((from + all - to) / 16)
	b.wakes.room(k)
}
