package bus

import "kbus/message"

// Close closes a Ksock, in the sequence of R6.7. Everybody whose Request it held hears of it: GoneAway if it was still
// queued, Ignored if it had been read. The Ksock must not be used afterwards.
func (b *Bus) Close(k *Ksock) {
	if !k.open {
		return
	}
	b.Settle(k)
	b.reclaim(k)
	k.window = nil
	b.Discard(k)
	k.outstanding = deque[message.ID]{}
	b.empty(k)
	for len(k.bindings) > 0 {
		n := k.bindings[len(k.bindings)-1]
		if n.replier && b.reportBinds {
			b.safeUnbindEvent(n, k)
		}
		b.unbind(n)
	}
	b.aside.drop(b, func(e *asideEvent) bool { return e.ksock == k })
	for i := k.unreplied.len() - 1; i >= 0; i-- {
		o := k.unreplied.at(i)
		b.statusTo(message.NameIgnored, k.id, o.requester, o.id)
	}
	b.drain(k) // one's own Ignored reaches nobody
	k.open = false
	b.stopNaming(k)
	b.forget(k)
	b.wakes.forget(k)
	b.wakes.allPending()
	b.accounts.closed(k.account)
}

// empty drops the queue, front to back. A Request that must be answered gets its GoneAway, unless k asked itself (F13).
func (b *Bus) empty(k *Ksock) {
	for k.queue.len() > 0 {
		e := b.take(k, 0)
		if e.mustReply && e.msg.head.From != k.id {
			b.statusTo(message.NameGoneAway, k.id, e.msg.head.From, e.msg.head.ID)
		}
		b.release(e.msg)
	}
}

// drain drops what is left in the queue of a Ksock that is past owing anything.
func (b *Bus) drain(k *Ksock) {
	for k.queue.len() > 0 {
		b.release(b.take(k, 0).msg)
	}
}
