//go:build !interleave

package ring

import (
	"encoding/binary"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var steps = flag.Int("ring.steps", 300_000, "how often the daemon acts in TestTakeAgainstTakeBack")

// A client takes as fast as it can while the daemon publishes and takes back as it likes. Every message is taken
// exactly once or withdrawn for good exactly once, is whole, and comes in order, also when the daemon's end is handed over in
// between; sleeping loses no wake-up.
func TestTakeAgainstTakeBack(t *testing.T) {
	s, c := segment(t, Sizes{4096, 4096, 4096, 512})
	_, _, w := s.Daemon()
	down, _, taker := c.Client()
	in, out, _ := s.Daemon()
	bell := make(chan struct{}, 1)
	var stop atomic.Bool

	var taken []uint64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			p, ok, err := taker.Take(1 + rand.Uint32N(4))
			if err != nil {
				t.Error(err)
				return
			}
			if !ok {
				if stop.Load() {
					return
				}
				if !down.Doze() {
					continue
				}
				if !taker.Empty() || stop.Load() {
					down.Awake()
					continue
				}
				<-bell
				continue
			}
			v := binary.LittleEndian.Uint64(p)
			for i := 8; i < len(p); i++ {
				if p[i] != byte(v) {
					t.Errorf("message %d is torn", v)
					return
				}
			}
			taken = append(taken, v)
			taker.Release()
		}
	})

	// The queue of the bus: numbers from front to back; the first Shown() of them are in the window.
	var queue, popped, removed []uint64
	var number uint64
	rnd := rand.New(rand.NewPCG(3, 4))
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	reconcile := func() {
		n, err := w.Taken()
		must(err)
		popped = append(popped, queue[:n]...)
		queue = queue[n:]
	}
	fill := func() {
		for shown := w.Shown(); shown < len(queue); shown++ {
			p := w.Stage(8 + rnd.IntN(60))
			if p == nil {
				break
			}
			binary.LittleEndian.PutUint64(p, queue[shown])
			for i := 8; i < len(p); i++ {
				p[i] = byte(queue[shown])
			}
		}
		must(w.Publish())
		if out.Wake() {
			bell <- struct{}{}
		}
	}
	for range *steps {
		reconcile()
		switch rnd.IntN(8) {
		default:
			number++
			queue = append(queue, number)
			fill()
		case 0, 1: // unbind: something goes from anywhere in the queue
			must(w.Withdraw())
			reconcile()
			if len(queue) > 0 {
				i := rnd.IntN(len(queue))
				removed = append(removed, queue[i])
				queue = append(queue[:i:i], queue[i+1:]...)
			}
			fill()
		case 3: // the daemon is another one from now on
			must(w.Withdraw())
			reconcile()
			state, err := StateOf(s, in, out, w)
			must(err)
			_, _, w = s.Daemon()
			must(w.resume(&state.Window))
			fill()
		case 2: // close: everything goes
			must(w.Withdraw())
			reconcile()
			removed = append(removed, queue...)
			queue = queue[:0]
		}
		if rnd.IntN(64) == 0 {
			runtime.Gosched()
		}
	}
	must(w.Withdraw())
	reconcile()
	removed = append(removed, queue...)
	stop.Store(true)
	if out.Wake() {
		bell <- struct{}{}
	}
	wg.Wait()

	if len(taken) != len(popped) {
		t.Fatalf("claimed %d, the daemon saw %d", len(taken), len(popped))
	}
	seen := make(map[uint64]bool, number)
	for i, v := range taken {
		if v != popped[i] {
			t.Fatalf("claim %d was %d, the daemon thinks %d", i, v, popped[i])
		}
		if i > 0 && v <= taken[i-1] {
			t.Fatalf("%d came after %d", v, taken[i-1])
		}
		seen[v] = true
	}
	for _, v := range removed {
		if seen[v] {
			t.Fatalf("%d was claimed and removed", v)
		}
		seen[v] = true
	}
	if uint64(len(seen)) != number {
		t.Fatalf("%d messages of %d accounted for", len(seen), number)
	}
	t.Logf("%d messages: %d claimed, %d removed", number, len(taken), len(removed))
}

// What is staged at the beginning, behind messages that lie at the end, does not touch the first of them.
func TestStagedBeforeTheOldest(t *testing.T) {
	s, c := segment(t, Sizes{4096, 4096, 4096, 512})
	_, _, w := s.Daemon()
	_, _, taker := c.Client()
	stage := func(n int, fits bool) {
		t.Helper()
		if got := w.Stage(n) != nil; got != fits {
			t.Fatalf("%d bytes fit: %v", n, got)
		}
	}
	stage(1600, true)
	stage(1600, true)
	if err := w.Publish(); err != nil {
		t.Fatal(err)
	}
	w.Want() // so that the client says at once what it has done with
	if _, ok, err := taker.Take(1); !ok || err != nil {
		t.Fatal(ok, err)
	}
	taker.Release()
	if n, err := w.Taken(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	stage(1000, true) // at the beginning
	stage(608, false)
	stage(601, false)
	stage(600, true)
	stage(1, false)
}

// A client cannot say that it has taken more than it was shown.
func TestTakesBeyondWhatIsShown(t *testing.T) {
	for more := uint16(1); more < 1000; more += 37 {
		s, c := segment(t, Sizes{4096, 4096, 4096, 512})
		_, _, w := s.Daemon()
		_, _, taker := c.Client()
		for range 3 {
			w.Stage(8)
		}
		if err := w.Publish(); err != nil {
			t.Fatal(err)
		}
		published, taken := split(taker.shared.state.Load())
		taker.shared.state.Store(join(published, taken+3+more))
		if n, err := w.Taken(); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("3 shown, %d claimed: %d, %v", 3+more, n, err)
		}
	}
}
