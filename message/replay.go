package message

// ReplayWindowSize is how far below the highest number a ReplayWindow remembers.
const ReplayWindowSize = 4096

// ReplayWindow remembers which serial numbers of a growing row have been seen: the highest, and each of the
// ReplayWindowSize up to it. Where a message can come by several ways, or be sent again, that tells the first copy from
// the others; a limit on hops would not. The numbers may wrap around at 2^32: what is up to half of that ahead is newer.
// The zero ReplayWindow has seen nothing.
type ReplayWindow struct {
	top   uint32
	begun bool
	seen  [ReplayWindowSize / 64]uint64
}

// Sight is what a ReplayWindow knows of a number.
type Sight uint8

const (
	Fresh Sight = iota // not seen before
	Seen               // seen before
	Old                // so far below the highest that it is not known
)

// Look asks about a number.
func (w *ReplayWindow) Look(n uint32) Sight {
	ahead := int32(n - w.top)
	switch {
	case !w.begun || ahead > 0:
		return Fresh
	case ahead <= -ReplayWindowSize:
		return Old
	case w.seen[n%ReplayWindowSize/64]&(1<<(n%64)) != 0:
		return Seen
	}
	return Fresh
}

// See asks about a number, and remembers it from now on.
func (w *ReplayWindow) See(n uint32) Sight {
	sight := w.Look(n)
	if sight != Fresh {
		return sight
	}
	switch ahead := int32(n - w.top); {
	case !w.begun || ahead >= ReplayWindowSize:
		w.seen = [ReplayWindowSize / 64]uint64{}
		w.begun, w.top = true, n
	case ahead > 0:
		for i := w.top + 1; i != n; i++ {
			w.seen[i%ReplayWindowSize/64] &^= 1 << (i % 64)
		}
		w.top = n
	}
	w.seen[n%ReplayWindowSize/64] |= 1 << (n % 64)
	return Fresh
}
