package bus

import "math"

// To take what came through a binding out of a queue of hundreds of thousands means to look at each message there. For
// the bus it is out at once: its length, its room and the Statuses that are owed are as they will be. But the queue is
// gone through in pieces, with other operations in between, if the owner of the bus wants that (InPieces).
//
// It is taken apart at the front, and what stays is put together again behind what has stayed before (purge.kept).
// Meanwhile messages may come to both ends. Nothing else may be done with the queue: whatever else needs it has the purge
// completed first (whole). So the owner should not let a client do that, see Purging.

// LongQueue is the usual argument of InPieces: so few entries that no other client notices.
const LongQueue = 4096

// InPieces has no operation look at more than about so many entries of a queue in one go: what is left to do is done by
// Sweep, and by PurgeOn. 0, as at first, has everything done at once.
func (l *litter) InPieces(entries int) { l.piece = entries }

// tooMany reports whether so many entries are more than one operation may look at, or so many Statuses more than it
// may make.
func (l *litter) tooMany(entries, statuses int) bool {
	return l.piece > 0 && (entries > l.piece || statuses > l.piece/statusSteps)
}

// statusSteps is what a Status is, beside a look at an entry, and freeSteps what it is to free a message.
const (
	statusSteps = 16
	freeSteps   = 4
)

// purge is the removal of what came through a binding from k's queue.
type purge struct {
	k      *Ksock
	via    *binding
	kept   deque[entry]
	missed uint32 // before what is looked at next
	debt   *debt  // of Statuses, if the binding was a Replier's
}

// beginPurge begins one. The entries that will go count as holes from now on, and those in kept as the opposite.
func (l *litter) beginPurge(n *binding) {
	k := n.ksock
	p := &purge{k: k, via: n, kept: deque[entry]{pool: l.bus.store.entries}}
	if n.replier {
		p.debt = l.owes(&debt{name: unbound, from: k.id, finding: true}, n.queued)
		p.debt.purge = p
	}
	k.queue.holes += n.queued
	n.queued = 0
	k.queue.purging = p
	l.purges = append(l.purges, p)
	l.bus.wakes.room(k)
}

// Purging reports whether k's queue is being gone through in pieces. Until that is over nothing may be shown of it (see
// Queued), and its client should wait: what it asks all the same has the rest done in one go.
func (l *litter) Purging(k *Ksock) bool { return k.queue.purging != nil }

// PurgeOn goes on with that, about so many steps, and reports whether there is more to do.
func (l *litter) PurgeOn(k *Ksock, steps int) bool {
	if p := k.queue.purging; p != nil {
		l.purgeOn(p, steps)
	}
	return k.queue.purging != nil
}

// whole completes the purge of k's queue.
func (l *litter) whole(k *Ksock) {
	if p := k.queue.purging; p != nil {
		l.purgeOn(p, math.MaxInt)
	}
}

// purgeOn makes so many steps, and gives how many are left over.
func (l *litter) purgeOn(p *purge, steps int) (left int) {
	q := &p.k.queue
	for ; steps > 0 && q.entries.len() > 0; steps-- {
		e := q.entries.popFront()
		q.holes--
		q.steps++
		switch {
		case e.msg == nil:
		case e.via == p.via:
			p.missed = plus(p.missed, e.missed)
			if q.keptBytes > 0 {
				q.removed(&e)
			}
			if p.debt != nil {
				p.debt.found(&e)
			}
			l.bus.letGo(e.msg, p.k.account)
			l.bus.release(e.msg)
			steps -= freeSteps
		default:
			e.missed, p.missed = plus(e.missed, p.missed), 0
			p.kept.pushBack(e)
		}
	}
	if q.entries.len() == 0 {
		l.purged(p)
	}
	return steps
}

// purged is the end of a purge: all that has stayed is the queue.
func (l *litter) purged(p *purge) {
	k := p.k
	k.queue.entries, k.queue.holes, k.queue.purging = p.kept, 0, nil
	k.missed.since = plus(k.missed.since, p.missed)
	l.purges = drop(l.purges, p)
	p.debt.complete()
	if k.window != nil { // its owner may show what there is
		l.bus.wakes.reader(k)
	}
}
