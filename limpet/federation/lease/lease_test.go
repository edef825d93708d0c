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
		history := []uint64{1}
		for range rapid.IntRange(10, 400).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1: // a refresh reaches the store, having been started some time before
				start := now.Add(-time.Duration(rapid.IntRange(0, 2000).Draw(t, "delay")) * time.Millisecond)
				if !evicted && h.Revision == revision {
					revision++
					history = append(history, revision)
					back = append(back, attempt{start, revision})
				}
			case 2: // and its answer comes back
				if len(back) > 0 {
					h.Renewed(back[0].start, back[0].revision)
					back = back[1:]
				}
			case 3, 4:
				seen := history[max(0, len(history)-1-rapid.IntRange(0, 2).Draw(t, "lag"))]
				if w.See(now, seen) && seen == revision {
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

// Who was stopped just after a refresh that we did not hear of is evicted within 20 s all the same.
func TestSoon(t *testing.T) {
	heard := time.Unix(1000, 0)
	var w Watch
	if !w.Quiet(heard, 3) {
		t.Error("a lease that was never looked at is not worth a look")
	}
	w.See(heard, 1)
	refreshed := heard.Add(Every(3))
	look := heard
	for !w.Quiet(look, 3) {
		look = look.Add(time.Second)
	}
	if w.See(look, 2) {
		t.Error("evicted at a revision that is seen first")
	}
	if takes := look.Add(Evict).Sub(refreshed); takes > 18*time.Second || w.Quiet(heard.Add(Every(3)), 3) {
		t.Errorf("evicted %v after its last refresh, and a look at each refresh is %t", takes, w.Quiet(heard.Add(Every(3)), 3))
	}
}

// Large federations refresh less often, and never so seldom that a refresh or two in vain cost the lease.
func TestEvery(t *testing.T) {
	for bowls, want := range map[int]time.Duration{
		0: Refresh, 1: Refresh, 600: Refresh, 800: 4 * time.Second, 1000: 5 * time.Second, 100_000: 5 * time.Second,
	} {
		if got := Every(bowls); got != want {
			t.Errorf("%d bowls: %v, want %v", bowls, got, want)
		}
	}
}
