package bus

// Unbind and Close can take hundreds of thousands of messages out of a queue. They are out at once for all to see, but
// to free so many takes a while. So they go on a heap, which the owner of the bus sweeps in pieces, with turns of other
// clients in between. Until then their user is charged for them; where that would make a difference to an outcome, the
// heap is swept first (see fits).

// litter is what is left to do of large operations. Its parts are in purge.go, debt.go and closing.go too.
type litter struct {
	bus    *Bus
	heaps  []*heap  // thrown away, and not yet freed
	purges []*purge // under way
	debts  []*debt  // Statuses to make, oldest first,
	owing  int      // and how many they are
	piece  int      // see InPieces
	closings
}

type heap struct {
	first   deque[entry] // before the others
	entries deque[entry]
	account *account
	debt    *debt  // for the Requests among them; nil: they have been answered
	purge   *purge // that was under way when the queue was thrown away
}

// sweepPiece is how many messages are freed at a time: so few that no client notices.
const sweepPiece = 256

// refuse gives the heap for what a user's Ksock throws away now. It is valid until the next call.
func (l *litter) refuse(a *account) *deque[entry] {
	if n := len(l.heaps); n > 0 && l.heaps[n-1].account == a && l.heaps[n-1].debt == nil && l.heaps[n-1].purge == nil {
		return &l.heaps[n-1].entries
	}
	h := &heap{entries: deque[entry]{pool: l.bus.store.entries}, account: a}
	l.heaps = append(l.heaps, h)
	return &h.entries
}

// throwAway throws k's whole queue away. The debt, if any, is for the Requests in it.
func (b *Bus) throwAway(k *Ksock, d *debt) {
	q := &k.queue
	if q.entries.len() == 0 && q.purging == nil {
		return
	}
	h := &heap{entries: q.entries, account: k.account, debt: d, purge: q.purging}
	if d != nil {
		d.heap, d.finding = h, true
	}
	if p := q.purging; p != nil {
		h.first = p.kept
		b.purges = drop(b.purges, p)
		if p.debt != nil {
			p.debt.purge, p.debt.heap = nil, h
		}
	}
	b.heaps = append(b.heaps, h)
	k.queue = queue{entries: deque[entry]{pool: b.store.entries}}
	b.wakes.room(k)
}

// Littered reports whether there is something to sweep.
func (l *litter) Littered() bool {
	return len(l.heaps)+len(l.debts)+len(l.purges)+len(l.closes)+len(l.deposed) > 0
}

// Sweep goes on with Ksocks that close (see closing.go), frees up to so many of the messages thrown away, makes Statuses that are
// owed (see debt.go) and goes on with purges: all that as far as so many steps go. It reports false when there was nothing to do. Senders that this makes
// room for are Due.
func (l *litter) Sweep(steps int) bool {
	if !l.Littered() {
		return false
	}
	closeOn(l.bus, steps)
	steps = l.sweepHeaps(l.pay(steps))
	for steps > 0 && len(l.purges) > 0 {
		steps = l.purgeOn(l.purges[0], steps)
	}
	return true
}

// sweepHeaps sweeps, the newest heap first, and gives how many steps are left over.
func (l *litter) sweepHeaps(steps int) (left int) {
	for steps > 0 && len(l.heaps) > 0 {
		steps = l.free(l.heaps[len(l.heaps)-1], steps)
	}
	return steps
}

// free frees messages of a heap.
func (l *litter) free(h *heap, steps int) (left int) {
	for ; steps > 0 && h.len() > 0; steps-- {
		if e := h.pop(); e.msg != nil {
			if d := h.debtFor(&e); d != nil {
				d.found(&e)
			}
			l.bus.letGo(e.msg, h.account)
			l.bus.release(e.msg)
		}
	}
	if h.len() == 0 {
		l.heaps = drop(l.heaps, h)
		h.debt.complete()
		if h.purge != nil {
			h.purge.debt.complete()
		}
	}
	return steps
}

func (h *heap) len() int { return h.first.len() + h.entries.len() }

func (h *heap) pop() entry {
	if h.first.len() > 0 {
		return h.first.popFront()
	}
	return h.entries.popFront()
}

// debtFor is the debt that a message thrown away adds to.
func (h *heap) debtFor(e *entry) *debt {
	switch {
	case !e.mustReply():
		return nil
	case h.purge != nil && e.via == h.purge.via:
		return h.purge.debt
	}
	return h.debt
}

// sweepFor sweeps some of what is in the way of a charge for a user, and reports false when nothing is: only the
// user's own if that user may have no more.
func (l *litter) sweepFor(a *account, onlyOwn bool) bool {
	for i := len(l.heaps) - 1; i >= 0; i-- {
		if h := l.heaps[i]; !onlyOwn || h.account == a {
			l.free(h, sweepPiece)
			return true
		}
	}
	for _, p := range l.purges {
		if !onlyOwn || p.k.account == a {
			l.purgeOn(p, sweepPiece)
			return true
		}
	}
	return false
}
