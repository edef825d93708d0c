//go:build !interleave

package ring

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var steps = flag.Int("ring.steps", 300_000, "how often the daemon acts in TestTakeAgainstTakeBack")

// A client claims as fast as it can while the daemon publishes and takes back as it likes. Every message is claimed
// exactly once or withdrawn for good exactly once, is whole, and comes in order; sleeping loses no wake-up.
func TestTakeAgainstTakeBack(t *testing.T) {
	s, c := segment(t, Sizes{4096, 4096, 4096, 512})
	_, _, w := s.Daemon()
	down, _, taker := c.Client()
	_, out, _ := s.Daemon()
	bell := make(chan struct{}, 1)
	var stop atomic.Bool

	var claimed []uint64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			p, ok, err := taker.Claim(1 + rand.Uint32N(4))
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
			claimed = append(claimed, v)
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
	settle := func() {
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
		settle()
		switch rnd.IntN(8) {
		default:
			number++
			queue = append(queue, number)
			fill()
		case 0, 1: // unbind: something goes from anywhere in the queue
			must(w.Withdraw())
			settle()
			if len(queue) > 0 {
				i := rnd.IntN(len(queue))
				removed = append(removed, queue[i])
				queue = append(queue[:i:i], queue[i+1:]...)
			}
			fill()
		case 2: // close: everything goes
			must(w.Withdraw())
			settle()
			removed = append(removed, queue...)
			queue = queue[:0]
		}
		if rnd.IntN(64) == 0 {
			runtime.Gosched()
		}
	}
	must(w.Withdraw())
	settle()
	removed = append(removed, queue...)
	stop.Store(true)
	if out.Wake() {
		bell <- struct{}{}
	}
	wg.Wait()

	if len(claimed) != len(popped) {
		t.Fatalf("claimed %d, the daemon saw %d", len(claimed), len(popped))
	}
	seen := make(map[uint64]bool, number)
	for i, v := range claimed {
		if v != popped[i] {
			t.Fatalf("claim %d was %d, the daemon thinks %d", i, v, popped[i])
		}
		if i > 0 && v <= claimed[i-1] {
			t.Fatalf("%d came after %d", v, claimed[i-1])
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
	t.Logf("%d messages: %d claimed, %d removed", number, len(claimed), len(removed))
}
