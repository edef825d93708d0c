// Package input reads a file front to back for somebody who does not trust it: it counts, so that an error can say where, and
// it takes memory only for what has arrived, whatever a length in the file claims.
package input

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Broken is a file that cannot be read on. What came before it was good.
type Broken struct {
	Offset int64 // where what cannot be read begins
	Cut    bool  // the file ends too early; else it says something that cannot be
	Reason string
}

func (b *Broken) Error() string { return fmt.Sprintf("at byte %d: %s", b.Offset, b.Reason) }

// Input is a file as far as it has been read. It reads in small pieces.
type Input struct {
	r   io.Reader
	at  int64
	buf []byte
}

// New begins at byte 0.
func New(r io.Reader) *Input { return &Input{r: r} }

// At is the offset of the next byte.
func (in *Input) At() int64 { return in.at }

const step = 64 << 10

// Take takes n bytes, which are valid until the next Take. The error is io.EOF if there is no byte more, and
// io.ErrUnexpectedEOF if there are too few.
func (in *Input) Take(n int) ([]byte, error) {
	in.buf = in.buf[:0]
	for len(in.buf) < n {
		had := len(in.buf)
		in.buf = slices.Grow(in.buf, min(n-had, max(step, had))) // at most doubles what is there
		part := in.buf[had:min(n, cap(in.buf))]
		got, err := io.ReadFull(in.r, part)
		in.at += int64(got)
		in.buf = in.buf[:had+got]
		if err != nil {
			if errors.Is(err, io.EOF) && had > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return in.buf, nil
}

// Skip passes over n bytes.
func (in *Input) Skip(n int64) error {
	got, err := io.CopyN(io.Discard, in.r, n)
	in.at += got
	return err
}

// Fault is what Take or Skip failed with, for something that begins at offset.
func Fault(offset int64, what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Broken{Offset: offset, Cut: true, Reason: "the file ends within " + what}
	}
	return fmt.Errorf("at byte %d: reading %s: %w", offset, what, err)
}
