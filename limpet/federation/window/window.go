// Package window remembers which numbers of a growing row have been seen: the highest, and each of the 4096 up to it.
// Federated messages may come by several ways, over NATS and over pairs, and a Request may be sent again; what has been
// seen is dropped. A limit on hops alone would not do: with pairs beside a federation it gave 5 to 37 copies of a
// message, where a window gives one.
package window

// Size is how far below the highest number a Window remembers.
const Size = 4096

// Window is for one row of numbers. They may wrap around at 2^32: what is up to half of that ahead is newer. The zero
// Window has seen nothing. It is not safe for concurrent use.
type Window struct {
	top   uint32
	begun bool
	seen  [Size / 64]uint64
}

// Verdict is what a Window knows of a number.
type Verdict uint8

const (
	Fresh Verdict = iota // not seen before; it is from now on
	Seen                 // seen before
	Old                  // so far below the highest that it is not known
)

// See asks about a number and remembers it.
func (w *Window) See(n uint32) Verdict {
	if !w.begun {
		w.begun, w.top = true, n
		w.mark(n)
		return Fresh
	}
	ahead := int32(n - w.top)
	switch {
	case ahead >= Size:
		w.seen = [Size / 64]uint64{}
		w.top = n
	case ahead > 0:
		for i := w.top + 1; i != n+1; i++ {
			w.seen[i%Size/64] &^= 1 << (i % 64)
		}
		w.top = n
	case ahead <= -Size:
		return Old
	case w.seen[n%Size/64]&(1<<(n%64)) != 0:
		return Seen
	}
	w.mark(n)
	return Fresh
}

func (w *Window) mark(n uint32) { w.seen[n%Size/64] |= 1 << (n % 64) }
