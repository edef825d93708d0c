package lease

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is delayed or lost, no eviction succeeds while the holder vouches: the store is a revision that is swapped,
// refreshes are delayed on the way there and back, and the watch sees old revisions too.
func TestFencedBeforeEvicted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Holder
		var w Watch
		now := time.Unix(1000, 0)
		revision := uint64(1)
		h.Renewed(now, revision)
		evicted := false
		type attempt struct {
			start    time.Time
			revision uint64
		}
		var back []attempt // answers that have not come yet
		booted := now.Add(-time.Minute)
		history := []Sight{{Revision: 1, Epoch: 1, Start: now.Sub(booted)}}
		for range rapid.IntRange(10, 400).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1: // a refresh reaches the store, having been started some time before
				start := now.Add(-time.Duration(rapid.IntRange(0, 2000).Draw(t, "delay")) * time.Millisecond)
				if !evicted && h.Revision == revision {
					revision++
					history = append(history, Sight{revision, 1, start.Sub(booted)})
					back = append(back, attempt{start, revision})
				}
			case 2: // and its answer comes back
				if len(back) > 0 {
					h.Renewed(back[0].start, back[0].revision)
					back = back[1:]
				}
			case 3, 4:
				seen := history[max(0, len(history)-1-rapid.IntRange(0, 2).Draw(t, "lag"))]
				if rapid.IntRange(0, 9).Draw(t, "plain") == 0 {
					seen.Start = 0
				}
				if w.See(now, seen) && seen.Revision == revision {
					evicted = true
				}
			}
			if evicted && h.Vouches(now) {
				t.Fatalf("evicted, and vouches for %v more", h.Until().Sub(now))
			}
		}
	})
}

func TestHolder(t *testing.T) {
	var h Holder
	now := time.Unix(1000, 0)
	touched := func(now time.Time) bool { return now.Before(h.Touched()) }
	if h.Vouches(now) || touched(now) {
		t.Error("vouches without a lease")
	}
	h.Renewed(now, 1)
	for after, want := range map[time.Duration][2]bool{
		0: {true, true}, Alone - 1: {true, true}, Alone: {true, false}, Fence - 1: {true, false}, Fence: {false, false},
	} {
		if got := [2]bool{h.Vouches(now.Add(after)), touched(now.Add(after))}; got != want {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
	h.Renewed(now.Add(-time.Second), 2)
	if left := h.Until().Sub(now); left != Fence {
		t.Errorf("an older refresh that succeeds later shortens the lease: %v", left)
	}
}

// A lease is looked at when a refresh is overdue, and not at each refresh.
func TestQuiet(t *testing.T) {
	seen := time.Unix(1000, 0)
	var w Watch
	if !w.Quiet(seen, 3) {
		t.Error("a lease that was never looked at is not worth a look")
	}
	w.See(seen, Sight{Revision: 1})
	if w.Quiet(seen.Add(Every(3)), 3) || !w.Quiet(seen.Add(Every(3)+grace), 3) {
		t.Error("a look at the wrong time")
	}
}

// A refresh that was there only when another server led is no reason to wait longer than 15 s from its start.
func TestSeenLate(t *testing.T) {
	seen := time.Unix(1000, 0)
	late := seen.Add(9 * time.Second)
	for _, c := range []struct {
		about       string
		first, then Sight
		due         time.Time
	}{
		{"of the same epoch", Sight{1, 7, time.Minute}, Sight{2, 7, time.Minute + time.Second}, seen.Add(time.Second + Evict)},
		{"of another epoch", Sight{1, 7, time.Minute}, Sight{2, 8, time.Minute + time.Second}, late.Add(Evict)},
		{"from who tells no start", Sight{1, 7, 0}, Sight{2, 7, 0}, late.Add(Evict)},
		{"from who tells it now", Sight{1, 7, 0}, Sight{2, 7, time.Minute}, late.Add(Evict)},
		{"in the same moment", Sight{1, 7, time.Minute}, Sight{2, 7, time.Minute}, seen.Add(Evict)},
		{"with a clock that goes back", Sight{1, 7, time.Minute}, Sight{2, 7, time.Second}, late.Add(Evict)},
		{"with a clock that leaps", Sight{1, 7, time.Minute}, Sight{2, 7, time.Hour}, late.Add(Evict)},
	} {
		var w Watch
		w.See(seen, c.first)
		if w.See(late, c.then) || !w.Due().Equal(c.due) {
			t.Errorf("%s: due after %v, want %v", c.about, w.Due().Sub(seen), c.due.Sub(seen))
		}
		if w.See(w.Due().Add(-1), c.then) || !w.See(w.Due(), c.then) {
			t.Errorf("%s: not evicted when it is due", c.about)
		}
	}
}

// A clock that is a little slow for a year costs nobody the lease.
func TestSlowClock(t *testing.T) {
	var w Watch
	now, start := time.Unix(1000, 0), time.Minute
	for n := range uint64(10_000_000) {
		if w.See(now, Sight{n + 1, 7, start}) {
			t.Fatalf("evicted after %d refreshes in time", n)
		}
		now, start = now.Add(Refresh), start+Refresh-Refresh/1000
	}
}

// Large federations refresh less often, and never so seldom that a refresh or two in vain cost the lease.
func TestEvery(t *testing.T) {
	for members, want := range map[int]time.Duration{
		0: Refresh, 1: Refresh, 600: Refresh, 800: 4 * time.Second, 1000: 5 * time.Second, 100_000: 5 * time.Second,
	} {
		if got := Every(members); got != want {
			t.Errorf("%d bowls: %v, want %v", members, got, want)
		}
	}
}
