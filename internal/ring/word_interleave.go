//go:build interleave

package ring

// These words do what Go's atomics do, one step at a time: before each step the side that acts gives the other one the
// chance to act first; after it, it reports what it saw. interleave_test.go sets both functions.

var (
	step = func() {}
	saw  = func(uint32) {}
)

func between() { step() }

type word32 struct{ v uint32 }

func (w *word32) Load() uint32 {
	step()
	saw(w.v)
	return w.v
}

func (w *word32) Store(v uint32) {
	step()
	w.v = v
}

func (w *word32) Swap(v uint32) (old uint32) {
	step()
	old, w.v = w.v, v
	saw(old)
	return old
}

func (w *word32) CompareAndSwap(old, v uint32) bool {
	step()
	if w.v != old {
		saw(0)
		return false
	}
	saw(1)
	w.v = v
	return true
}

const (
	beginAgain = 1
	forgetSkip = 2
)
