package guardian

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWordsAreKept: guardians of all versions are understood, so these bytes stay as they are.
func TestWordsAreKept(t *testing.T) {
	guardians, daemons, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(daemons)
	if _, _, err := Receive(daemons); err != unix.EAGAIN {
		t.Errorf("the daemon waits: %v", err)
	}
	raw := func(numbers ...uint32) (b []byte) {
		for _, n := range numbers {
			b = binary.NativeEndian.AppendUint32(b, n)
		}
		return b
	}
	for _, c := range []struct {
		says Word
		is   []byte
	}{
		{Word{Ended, 4711, 3 << 8}, raw(1, 4711, 768)},
		{Word{Signal, 4711, 15}, raw(2, 4711, 15)},
	} {
		if err := Send(guardians, c.says, 0); err != nil {
			t.Fatal(err)
		}
		var b [100]byte
		if n, err := unix.Read(daemons, b[:]); err != nil || string(b[:n]) != string(c.is) {
			t.Errorf("%+v is % x, %v; want % x", c.says, b[:n], err, c.is)
		}
		for _, later := range [][]byte{c.is, append(c.is, 1, 2, 3)} {
			if _, err := unix.Write(guardians, later); err != nil {
				t.Fatal(err)
			}
			if w, ok, err := Receive(daemons); w != c.says || !ok || err != nil {
				t.Errorf("% x is %+v, %v, %v", later, w, ok, err)
			}
		}
	}
	unix.Close(guardians)
	if _, ok, err := Receive(daemons); ok || err != nil {
		t.Errorf("at the end: %v, %v", ok, err)
	}
}

// TestLastWords: what a guardian has said before its end is heard, also if it has not read all.
func TestLastWords(t *testing.T) {
	guardians, daemons, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(daemons)
	said := Word{Ended, 7, 3 << 8}
	if err := Send(daemons, Word{Signal, 7, 15}, 0); err != nil {
		t.Fatal(err)
	}
	if err := Send(guardians, said, 0); err != nil {
		t.Fatal(err)
	}
	unix.Close(guardians)
	if w, ok, err := Receive(daemons); w != said || !ok || err != nil {
		t.Errorf("%+v, %v, %v", w, ok, err)
	}
	if _, ok, err := Receive(daemons); ok || err != nil {
		t.Errorf("and then: %v, %v", ok, err)
	}
}
