package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// How much is fetched at once follows from how it went: what comes too late has been sent in vain, and if many members then
// ask for it again, it comes later still.
const (
	firstSize = 64
	leastSize = 4
	longest   = 4 * time.Second // between two attempts
)

// missed reports whether something is to be fetched, and not to be waited for: it was there at the start, or what follows
// it has come, or nothing has come for a while.
func (f *follower) missed() bool {
	next := f.order.Next()
	if next != f.pace.stands {
		f.pace.stands, f.pace.since = next, time.Now()
	}
	return f.order.Missing() && !time.Now().Before(f.pace.until) && (next <= f.end.first || f.order.Early() || time.Since(f.pace.since) >= onItsWay)
}

// poll asks how far the stream is: its leader the first time, and then any replica, which costs less.
func (f *follower) poll() {
	f.end.again = time.Now().Add(retryEvery)
	ask := f.stream.last
	if f.end.polled {
		ask = f.stream.lastAnywhere
	}
	last, err := ask(f.ctx)
	if err != nil {
		return // there may be no leader now; it is asked again
	}
	f.end.again = time.Now().Add(pollEvery + rand.N(pollEvery/4)) // so that many members do not ask at once
	if !f.end.polled {
		f.end.first, f.end.polled = last, true
	}
	f.end.last = max(last, f.end.last)
	f.stream.knows(last)
	f.order.Exists(last)
}

// fetch gets what is missing, and reports whether that was any good.
func (f *follower) fetch() bool {
	from := f.order.Next()
	err := f.stream.after(f.ctx, from, min(f.order.Lag(), f.pace.size), func(e Entry) {
		if f.lost == nil || e.Revision == f.order.Next() {
			f.order.Fetched(e.Revision, e, f.deliver)
		}
	})
	if errors.Is(err, context.DeadlineExceeded) {
		f.pace.size, f.pace.pause = max(f.pace.size/4, leastSize), min(2*f.pace.pause, longest)
	}
	if err != nil { // tried again
		f.pace.until = time.Now().Add(f.pace.pause/2 + rand.N(f.pace.pause))
		return false
	}
	f.pace.size, f.pace.pause = min(2*f.pace.size, batch), retryEvery
	if f.order.Next() == from && f.end.last >= from {
		// Only the leader knows that something is gone: of a Bucket that the rest was deleted, and that is forgotten
		// too, and of a Stream also that it begins later now.
		known := f.end.last
		e, err := f.stream.leaderGet(f.ctx, nextFrom(from))
		switch {
		case errors.Is(err, ErrNone) && f.knowsAll(known):
			f.order.Nothing(known)
			f.reportLost(f.order.Next())
		case err == nil && f.lost != nil:
			f.order.Fetched(e.Revision, e, f.deliver)
		}
	}
	return f.order.Next() != from
}

// knowsAll reports whether the leader is as far as we know the stream to be. Of a bucket only a change could be missed that
// was made later; of a Stream an entry.
func (f *follower) knowsAll(known uint64) bool {
	if f.lost == nil {
		return true
	}
	last, err := f.stream.last(f.ctx)
	return err == nil && last >= known
}
