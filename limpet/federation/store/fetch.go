package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// How much is fetched at once follows from how it went: what comes too late has been sent in vain, and if many bowls then
// ask for it again, it comes later still.
const (
	firstSize = 64
	leastSize = 4
	longest   = 4 * time.Second // between two attempts
)

// missed tells whether something is to be fetched, and not to be waited for: it was there at the start, or what follows
// it has come, or nothing has come for a while.
func (f *follower) missed() bool {
	next := f.order.Next()
	if next != f.stands {
		f.stands, f.since = next, time.Now()
	}
	return f.order.Missing() && !time.Now().Before(f.rested) && (next <= f.goal || f.order.Early() || time.Since(f.since) >= onItsWay)
}

// poll asks how far the stream is: its leader the first time, and then any replica, which costs less.
func (f *follower) poll() {
	f.again = time.Now().Add(retryEvery)
	ask := f.store.last
	if f.polled {
		ask = f.store.lastAnywhere
	}
	last, err := ask(f.ctx)
	if err != nil {
		return // there may be no leader now; it is asked again
	}
	f.again = time.Now().Add(pollEvery + rand.N(pollEvery/4)) // so that many bowls do not ask at once
	if !f.polled {
		f.goal, f.polled = last, true
	}
	f.known = max(last, f.known)
	f.store.knows(last)
	f.order.Exists(last)
}

// fetch gets what is missing, and tells whether that was any good.
func (f *follower) fetch() bool {
	from := f.order.Next()
	err := f.store.after(f.ctx, from, min(f.order.Lag(), f.size), func(e Entry) {
		if f.lost == nil || e.Revision == f.order.Next() {
			f.order.Fetched(e.Revision, e, f.deliver)
		}
	})
	if errors.Is(err, context.DeadlineExceeded) {
		f.size, f.rest = max(f.size/4, leastSize), min(2*f.rest, longest)
	}
	if err != nil { // tried again
		f.rested = time.Now().Add(f.rest/2 + rand.N(f.rest))
		return false
	}
	f.size, f.rest = min(2*f.size, batch), retryEvery
	if f.order.Next() == from && f.known >= from {
		// Nobody but the leader can say that something is gone: of a bucket that the rest was deleted, and that is forgotten
		// too, and of a log also that it begins later now.
		known := f.known
		e, err := f.store.leaderGet(f.ctx, nextFrom(from))
		switch {
		case errors.Is(err, ErrNone) && f.knowsAll(known):
			f.order.Nothing(known)
			f.tell(f.order.Next())
		case err == nil && f.lost != nil:
			f.order.Fetched(e.Revision, e, f.deliver)
		}
	}
	return f.order.Next() != from
}

// knowsAll tells whether the leader is as far as we know the stream to be. Of a bucket only a change could be missed that
// was made later; of a log an entry.
func (f *follower) knowsAll(known uint64) bool {
	if f.lost == nil {
		return true
	}
	last, err := f.store.last(f.ctx)
	return err == nil && last >= known
}
