// Package lease has the two clocks that keep two members from holding one name. A member holds its names only as long as it
// can vouch for its lease; a member that wants to evict it looks at the lease from outside. Neither trusts the other's clock,
// only that both run at the same speed:
//
//   - The Holder counts from the *start* of its last refresh that succeeded, and stops vouching after 12 s.
//   - The Watch counts from the moment when it *saw* a revision first, which is later than that start, and evicts after
//     15 s, by compare-and-swap at that very revision, so a refresh that it has not seen makes the eviction fail.
//
// What is seen may be much later than that start: a refresh that reached the servers just before their leader was lost
// is there only with the next leader. So a revision carries when its refresh was started, by the clock of its holder, and
// the Watch counts as many seconds from when it saw the one before as lie between the two starts.
//
// Nothing here reads a clock; the time is passed in. It must go on while the machine sleeps, for the others do not.
package lease

import "time"

const (
	Refresh = 3 * time.Second  // between the starts of two refreshes, in all but large federations
	Fence   = 12 * time.Second // since the start of the last good one: the member gives its names up
	Evict   = 15 * time.Second // a revision seen for so long may be evicted
	Alone   = 8 * time.Second  // since the start of the last good one: the member takes nothing on any more

	rarest = 5 * time.Second // between two refreshes at most: there is time for three in vain before the Fence
	grace  = 2 * time.Second // that a refresh is late: it is worth a look
	writes = 200             // leases a second that servers are asked to write, so that there is room for other things
)

// Every is the time between the starts of two refreshes, in a federation of so many members.
func Every(members int) time.Duration {
	return min(max(Refresh, time.Duration(members)*time.Second/writes), rarest)
}

// Holder is the lease of our own member. It is not safe for concurrent use.
type Holder struct {
	good     time.Time // start of the last refresh that succeeded
	Revision uint64    // of the lease, as that refresh made it
}

// Renewed notes that a refresh that was started then has made that revision. It may come late, after that of a later one.
func (h *Holder) Renewed(start time.Time, revision uint64) {
	if start.After(h.good) {
		h.good = start
	}
	h.Revision = max(h.Revision, revision)
}

// Vouches reports whether the member may still act for its names.
func (h *Holder) Vouches(now time.Time) bool { return now.Before(h.Until()) }

// Until is when it may no longer.
func (h *Holder) Until() time.Time { return h.good.Add(Fence) }

// Touched is until when the member counts as in touch with the quorum. After that it can neither claim nor send, and
// had better say so.
func (h *Holder) Touched() time.Time { return h.good.Add(Alone) }

// Watch is somebody else's lease, seen from here. The zero Watch has not looked yet. It is not safe for concurrent use.
type Watch struct {
	last  Sight
	seen  time.Time // when that was seen first
	since time.Time // its refresh was not started later than that
}

// Sight is a lease as somebody sees it.
type Sight struct {
	Revision uint64
	Epoch    uint64        // of the holder
	Start    time.Duration // of the refresh, by a clock that the holder has throughout an epoch; 0 if that is unknown
}

// See notes how the lease stands, and reports whether it has stood so for so long that its holder may be evicted. An old
// revision, from a server that lags behind, does no harm: to evict at that revision fails.
func (w *Watch) See(now time.Time, s Sight) (evict bool) {
	if s.Revision > w.last.Revision {
		w.since = now
		if s.Epoch == w.last.Epoch && w.last.Start > 0 && s.Start >= w.last.Start {
			// Counted from the one before alone: if our clocks differ in speed the error does not add up.
			if at := w.seen.Add(s.Start - w.last.Start); at.Before(now) {
				w.since = at
			}
		}
		w.last, w.seen = s, now
	}
	return s.Revision == w.last.Revision && !now.Before(w.Due())
}

// Due is when the holder may be evicted, if no other revision is seen before.
func (w *Watch) Due() time.Time { return w.since.Add(Evict) }

// Quiet reports whether the lease should have been refreshed by now, in a federation of so many members, so that it is worth
// a look: the last refresh may have been made and not seen.
func (w *Watch) Quiet(now time.Time, members int) bool {
	return !now.Before(w.seen.Add(Every(members) + grace))
}
