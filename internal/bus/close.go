package bus

import "kbus.example/kbus/message"

// The end of a Ksock: what becomes of all that it has. Who has asked it something gets a Status, which is made here in one go, or
// is owed (debt.go) where there is much of it.

// Close closes a Ksock, in the sequence of R6.7. The sender of each Request that it held gets a Status: GoneAway if the
// Request was still queued, Ignored if it had been read. The Ksock must not be used afterwards.
func (b *Bus) Close(k *Ksock) {
	if !k.open {
		return
	}
	b.SyncWindow(k)
	b.reclaim(k)
	if b.isWatched() {
		b.show(k, Event{Kind: EventClosed})
	}
	b.countWindow(k, -1)
	k.window = nil
	b.Discard(k)
	open := k.outstanding.len()
	k.outstanding.clear()
	b.discharge(k.account, perCopy*int64(open))
	later := b.empty(k)
	if isMuch(b, k) {
		k.open = false
		b.wakes.forget(k)
		b.closes = append(b.closes, &closing{k, later})
		return
	}
	for len(k.bindings) > 0 {
		unbindLast(b, k)
	}
	finishClose(b, k, later)
}

// finishClose is the end of a Close, when nothing is bound any more.
func finishClose(b *Bus, k *Ksock, later bool) {
	b.askersClose(k)
	b.dropAside(k, nil)
	b.ignore(k, later)
	b.throwAway(k, nil) // one's own Ignored reaches nobody
	k.open = false
	b.forgetGivenUp(k)
	b.depart(k)
	b.stopNaming(k)
	b.roster.forget(k)
	b.wakes.forget(k)
	b.wakes.allPending()
	b.accounts.closed(k.account)
	b.sweepHeaps(sweepPiece)
}

// empty drops the queue, front to back. A Request that must be answered gets its GoneAway, unless k asked itself (F13):
// now, or later if it is long to find them all.
func (b *Bus) empty(k *Ksock) (later bool) {
	asked := 0
	for _, n := range k.bindings {
		if n.replier {
			asked += n.queued
		}
	}
	if asked > 0 && (k.queue.purging != nil || b.tooMany(k.queue.entries.len(), asked+k.unreplied.len())) {
		b.throwAway(k, b.owes(&debt{name: message.NameGoneAway, from: k.id}, asked))
		return true
	}
	b.Work(asked)
	for i := 0; asked > 0; i++ {
		e := k.queue.at(i)
		if e.msg == nil || !e.mustReply() {
			continue
		}
		asked--
		if e.msg.head.From != k.id {
			b.statusTo(message.NameGoneAway, nil, k.id, e.msg.head.From, e.msg.head.ID)
		}
	}
	b.throwAway(k, nil)
	return false
}

// ignore has the sender of each Request that k has read, the last one first, get its Ignored.
func (b *Bus) ignore(k *Ksock, later bool) {
	owes := k.unreplied.len()
	if later && owes > 0 || b.tooMany(0, owes) {
		b.owes(&debt{name: message.NameIgnored, from: k.id, read: k.unreplied.list}, owes)
	} else {
		for i := k.unreplied.list.len() - 1; i >= 0; i-- {
			if o := k.unreplied.list.at(i); !o.hole {
				b.statusTo(message.NameIgnored, nil, k.id, o.key.requester, o.key.id)
			}
		}
		b.Work(owes)
	}
	k.unreplied.clear()
	b.discharge(k.account, perCopy*int64(owes))
}
