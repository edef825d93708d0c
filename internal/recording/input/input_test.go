package input

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// What a file claims costs no memory before it has come: of a gigabyte that is said to follow, about as much is taken as is there.
func TestTakeAllocatesWhatComes(t *testing.T) {
	in := New(bytes.NewReader(make([]byte, 3*step)))
	if _, err := in.Take(1 << 30); !errors.Is(err, io.ErrUnexpectedEOF) || in.At() != 3*step {
		t.Errorf("at %d: %v", in.At(), err)
	}
	if cap(in.buf) > 8*step {
		t.Errorf("%d bytes were taken for %d", cap(in.buf), 3*step)
	}
}

// It takes what was asked for however the bytes come, and knows where it is.
func TestTake(t *testing.T) {
	data := make([]byte, 3*step)
	for i := range data {
		data[i] = byte(i % 251)
	}
	in := New(iotest.HalfReader(bytes.NewReader(data)))
	at := 0
	for _, n := range []int{0, 1, 7, step, step + 1, 100} {
		b, err := in.Take(n)
		if err != nil || !bytes.Equal(b, data[at:at+n]) {
			t.Fatalf("%d bytes at %d: %v", n, at, err)
		}
		if at += n; in.At() != int64(at) {
			t.Errorf("it is at %d, and says %d", at, in.At())
		}
	}
	left := int64(len(data) - at)
	if err := in.Skip(left - 1); err != nil || in.At() != int64(len(data))-1 {
		t.Errorf("skipped to %d, %v", in.At(), err)
	}
	if b, err := in.Take(1); err != nil || b[0] != data[len(data)-1] {
		t.Error(b, err)
	}
	if _, err := in.Take(1); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if err := in.Skip(1); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// A file that cannot be read is not one that is cut.
func TestFault(t *testing.T) {
	in := New(iotest.ErrReader(errors.New("the disk is broken")))
	_, err := in.Take(5)
	var broken *Broken
	if err = Fault(3, "a block", err); errors.As(err, &broken) || err.Error() != "at byte 3: reading a block: the disk is broken" {
		t.Error(err)
	}
	if err = Fault(3, "a block", io.EOF); !errors.As(err, &broken) || !broken.Cut || err.Error() != "at byte 3: the file ends within a block" {
		t.Error(err)
	}
}
