package pcapng

import (
	"errors"
	"io"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
)

// Position is where a file goes on.
type Position struct {
	End    int64  // of what is whole: cut the file there first
	Serial uint64 // of its last event

	order      byteOrder
	interfaces uint32
}

// Resume reads a file that is to go on, whose last block may be cut.
func Resume(file io.Reader) (Position, error) {
	r := NewReader(file)
	var e event.Event
	var p Position
	for {
		err := r.Next(&e)
		if err == nil {
			p.Serial = e.Serial
			continue
		}
		var broken *input.Broken
		cut := errors.As(err, &broken) && broken.Cut && r.end > 0
		if err != io.EOF && !cut {
			return Position{}, err
		}
		p.End, p.order, p.interfaces = r.end, r.order, uint32(len(r.interfaces))
		return p, nil
	}
}

// WriterAt goes on at a position, in the same section.
func WriterAt(w io.Writer, p Position) *Writer {
	nw := newWriter(w, p.order, p.interfaces)
	nw.bytes = p.End
	return nw
}
