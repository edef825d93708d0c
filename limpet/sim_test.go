package limpet

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	runs      = 20000
	stepsEach = 60
)

// script makes the script of a run from its number and the seed of all.
func script(seed, run uint64) []uint64 {
	r := rand.New(rand.NewPCG(seed, run))
	s := make([]uint64, 1+r.IntN(2*stepsEach))
	for i := range s {
		s[i] = r.Uint64()
	}
	return s
}

// play runs a script and tells what was wrong with it.
func play(script []uint64, verbose bool) *world {
	w := newWorld(script[0], verbose)
	if w.calm { // everybody is where they are from the beginning
		for i, name := range bindable {
			w.nodes[i%len(w.nodes)].drivers[0].bind(name)
		}
		w.quiesce()
	}
	for _, number := range script[1:] {
		if w.wrong != nil {
			break
		}
		w.step(number)
	}
	w.quiesce()
	if w.wrong == nil {
		w.check()
	}
	w.closeAll()
	return w
}

// shrink leaves out of a failing script what it can do without.
func shrink(script []uint64) []uint64 {
	for size := len(script) / 2; size > 0; {
		smaller := false
		for at := 1; at+size <= len(script); {
			without := slices.Delete(slices.Clone(script), at, at+size)
			if play(without, false).wrong != nil {
				script, smaller = without, true
			} else {
				at += size
			}
		}
		if !smaller {
			size /= 2
		}
	}
	return script
}

// TestSimulation: in random trees of buses, and in rings, with links cut and joined, messages on their way for long or
// arriving twice, clients that leave and buses that restart, every Request has exactly one answer and it is the right
// one; each Listener hears each message once, and each sender in order; nothing goes round; no proxy outlives its Replier
// and none is missing; and no Limpet is left with a debt. SEED=n repeats a run of the test, and a failing script is cut down and told step by step.
func TestSimulation(t *testing.T) {
	seed, n := rand.Uint64N(1e6), runs
	if testing.Short() {
		n /= 10
	}
	if s := os.Getenv("SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // each run leaves all of its buses behind
	var next atomic.Uint64
	var failed atomic.Pointer[[]uint64]
	var answered, statuses atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for run := next.Add(1); run <= uint64(n) && failed.Load() == nil; run = next.Add(1) {
				s := script(seed, run)
				w := play(s, false)
				if w.wrong != nil {
					failed.CompareAndSwap(nil, &s)
				}
				for _, n := range w.nodes {
					for _, t := range n.drivers {
						answered.Add(int64(t.answered))
						statuses.Add(int64(t.statuses))
					}
				}
			}
		})
	}
	workers.Wait()
	if s := failed.Load(); s != nil {
		small := shrink(*s)
		w := play(small, true)
		t.Fatalf("SEED=%d: %v\nin %d steps of %d:\n%s", seed, w.wrong, len(small)-1, len(*s)-1, strings.Join(w.trace, "\n"))
	}
	summary := fmt.Sprintf("SEED=%d: %d runs, at least %d Replies and %d Statuses", seed, n, answered.Load(), statuses.Load())
	if answered.Load() == 0 || statuses.Load() == 0 {
		t.Error("too quiet: " + summary)
	}
	t.Log(summary)
}
