//go:build !interleave

package ring

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// A pipe begins again once, and then is never empty while more than 4 GiB go through it, so that positions come by the
// place where it did: what is written there is read, and not skipped.
func TestSkipIsForgotten(t *testing.T) {
	if testing.Short() {
		t.Skip("4 GiB")
	}
	const size = 1 << 20
	r, w := pair(t, size, 4096)
	w.shallow = 0
	piece, got := make([]byte, size/4), make([]byte, size/4)
	put := func(n int, mark uint64) {
		binary.LittleEndian.PutUint64(piece, mark)
		if m, _, err := w.Write(piece[:n]); m != n || err != nil {
			t.Fatalf("wrote %d bytes of %d: %v", m, n, err)
		}
	}
	take := func(n int, mark uint64) {
		if m, _, err := r.Read(got[:n]); m != n || err != nil || binary.LittleEndian.Uint64(got) != mark {
			t.Fatalf("read %d bytes of %d, from piece %d, want %d: %v", m, n, binary.LittleEndian.Uint64(got), mark, err)
		}
	}
	put(beginAgain, 0)
	take(beginAgain, 0)
	put(8, 1)
	if w.tail != size+8 || w.shared.skip.Load() != size|skipping {
		t.Fatalf("it has not begun again: at %d", w.tail)
	}
	take(8, 1)
	w.Append(nil) // sees that
	put(len(piece)-16, 2)
	last := uint64(2)
	for n := range 1<<32/uint64(len(piece)) + 8 {
		put(len(piece), n)
		if n > 0 {
			take(len(piece), n-1)
		} else {
			take(len(piece)-16, last)
		}
	}
}

// From just before positions come round, all that is written is read, a ring that begins again included.
func TestPositionsComeRound(t *testing.T) {
	const size = 8192
	for before := uint32(0); before < 3*size; before += 509 {
		s, fd, err := Create(Sizes{size, 4096, 4096, 512})
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		r, _, _ := s.Daemon()
		_, w, _ := s.Client()
		from := -before
		w.startAt(from)
		r.startAt(from)
		w.shared.head.Store(from)
		w.shared.tail.Store(from)
		var wrote, read, held uint64
		for read < 4*size {
			piece := binary.LittleEndian.AppendUint64(nil, wrote)
			for range int(wrote) % 40 * 16 {
				piece = append(piece, byte(wrote))
			}
			n, _, err := w.Write(piece)
			if err != nil || n != len(piece) {
				t.Fatalf("from %d: wrote %d bytes of %d: %v", from, n, len(piece), err)
			}
			wrote += uint64(n)
			if held += uint64(n); held < size/3 && wrote%3 > 0 { // now and then it is emptied
				continue
			}
			for held > 0 {
				var head [8]byte
				if n, _, err := r.Read(head[:]); n != 8 || err != nil || binary.LittleEndian.Uint64(head[:]) != read {
					t.Fatalf("from %d: piece %d where %d should be: %v", from, binary.LittleEndian.Uint64(head[:]), read, err)
				}
				rest := make([]byte, int(read)%40*16)
				if n, _, err := r.Read(rest); n != len(rest) || err != nil || n > 0 && rest[n-1] != byte(read) {
					t.Fatalf("from %d: %d bytes of %d: %v", from, n, len(rest), err)
				}
				read += uint64(8 + len(rest))
				held -= uint64(8 + len(rest))
			}
		}
		s.Close()
	}
}

// More messages than can be counted go through a window, some taken and some taken back, in order and whole, and room
// comes back for all of them. A daemon that wants to know of a take is told at the count it has named.
func TestMessagesComeRound(t *testing.T) {
	s, c := segment(t, Sizes{4096, 4096, 4096, 512})
	_, _, w := s.Daemon()
	_, _, taker := c.Client()
	var next, shown uint64 // numbers of the first in the queue, and behind the last shown
	for round := range uint64(200_000) {
		for i := uint64(0); i <= round%3; i++ {
			p := w.Stage(8)
			if p == nil {
				t.Fatalf("round %d: no room", round)
			}
			binary.LittleEndian.PutUint64(p, shown)
			shown++
		}
		if err := w.Publish(); err != nil {
			t.Fatal(err)
		}
		told := false
		wanted := w.Want()
		for range 1 + round%2 {
			p, ok, err := taker.Take(1 + uint32(round%2))
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if n := binary.LittleEndian.Uint64(p); n != next {
				t.Fatalf("round %d: message %d where %d should be", round, n, next)
			}
			next++
			told = taker.Release() || told
		}
		if !wanted || !told {
			t.Fatalf("round %d: wanted %v, told %v", round, wanted, told)
		}
		if _, err := w.Taken(); err != nil {
			t.Fatal(err)
		}
		if round%5 == 0 {
			if err := w.Withdraw(); err != nil {
				t.Fatal(err)
			}
			next = shown
		}
	}
	if shown < 5<<16 {
		t.Fatalf("only %d messages", shown)
	}
}
