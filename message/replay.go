package message

import (
	"encoding/binary"
	"fmt"
)

// Which numbers of a growing row have been seen, to know a copy from what is new.

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

// replayBytes is the length of a ReplayWindow as bytes: whether it has seen anything, its top, and a bit for each number.
const replayBytes = 1 + 4 + ReplayWindowSize/8

// AppendBinary appends what the window remembers, for another process to go on with.
func (w *ReplayWindow) AppendBinary(b []byte) ([]byte, error) {
	begun := byte(0)
	if w.begun {
		begun = 1
	}
	b = binary.LittleEndian.AppendUint32(append(b, begun), w.top)
	for _, bits := range w.seen {
		b = binary.LittleEndian.AppendUint64(b, bits)
	}
	return b, nil
}

// MarshalBinary is AppendBinary to nothing.
func (w *ReplayWindow) MarshalBinary() ([]byte, error) {
	return w.AppendBinary(make([]byte, 0, replayBytes))
}

// UnmarshalBinary takes over what AppendBinary gave.
func (w *ReplayWindow) UnmarshalBinary(b []byte) error {
	if len(b) != replayBytes || b[0] > 1 {
		return fmt.Errorf("message: %d bytes are no replay window", len(b))
	}
	w.begun, w.top = b[0] == 1, binary.LittleEndian.Uint32(b[1:])
	for i := range w.seen {
		w.seen[i] = binary.LittleEndian.Uint64(b[5+8*i:])
	}
	return nil
}
