//go:build interleave

package ring

// These words do what Go's atomics do, one step at a time: before each step the side that acts gives the other one the
// chance to act first; after it, it tells what it saw. interleave_test.go sets both.

var (
	step = func() {}
	saw  = func(uint64) {}
)

func between() { step() }

type number interface{ uint32 | uint64 }

type word[T number] struct{ v T }

type (
	word64 = word[uint64]
	word32 = word[uint32]
)

func (w *word[T]) Load() T {
	step()
	saw(uint64(w.v))
	return w.v
}

func (w *word[T]) Store(v T) {
	step()
	w.v = v
}

func (w *word[T]) Swap(v T) (old T) {
	step()
	old, w.v = w.v, v
	saw(uint64(old))
	return old
}

func (w *word[T]) CompareAndSwap(old, v T) bool {
	step()
	if w.v != old {
		saw(0)
		return false
	}
	saw(1)
	w.v = v
	return true
}
