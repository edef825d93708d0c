//go:build !interleave

package ring

import "testing"

// FuzzReader puts any numbers into the words of a writer, between any reads: the reader never panics, never gives
// more than the ring holds, never goes backwards, and finds out whatever cannot be.
func FuzzReader(f *testing.F) {
	f.Add(uint32(10), uint32(0), uint32(20), uint32(0), uint16(5))
	f.Add(uint32(4096), uint32(0), uint32(8192+7), uint32(8192|skipping), uint16(8000))
	f.Add(uint32(5000), uint32(4999), uint32(1), uint32(1), uint16(1))
	f.Add(^uint32(0), ^uint32(0), uint32(3), ^uint32(0), uint16(9))
	f.Fuzz(func(t *testing.T, tail1, skip1, tail2, skip2 uint32, most uint16) {
		const size = 4096
		shared := new(words)
		r := &Reader{shared: shared, data: make([]byte, size)}
		buf := make([]byte, most)
		for _, w := range [...][2]uint32{{tail1, skip1}, {tail2, skip2}, {tail1, skip2}} {
			shared.tail.Store(w[0])
			shared.skip.Store(w[1])
			before := r.head
			first, second, err := r.Peek()
			switch {
			case err != nil && (first != nil || second != nil):
				t.Fatal("bytes and an error")
			case len(first)+len(second) > size:
				t.Fatalf("%d bytes in a ring of %d", len(first)+len(second), size)
			case r.head-before >= size:
				t.Fatalf("head went from %d to %d", before, r.head)
			case err == nil && r.head+uint32(len(first)+len(second)) != w[0]:
				t.Fatalf("%d bytes from %d on do not end at %d", len(first)+len(second), r.head, w[0])
			}
			n, _, err := r.Read(buf)
			if n > min(len(buf), size) || err != nil && err != ErrCorrupt {
				t.Fatalf("read %d bytes, %v", n, err)
			}
			if r.Doze() != (r.head == w[0]) {
				t.Fatalf("dozes at %d with %d written", r.head, w[0])
			}
		}
	})
}

// FuzzWindow puts any numbers into the words of a client, between any two things that the daemon does with a window: it
// never panics, never shows or takes more than there is, and gives room for a message only inside its memory.
func FuzzWindow(f *testing.F) {
	f.Add(uint32(0), uint32(0), uint32(1), uint32(1), uint16(100))
	f.Add(uint32(3)<<16|2, uint32(1), ^uint32(0), ^uint32(0), uint16(4096))
	f.Fuzz(func(t *testing.T, state1, released1, state2, released2 uint32, bytes uint16) {
		const size, slots = 4096, 4
		w := &Window{
			shared: new(windowWords), slots: make([]slot, slots), own: make([]slot, slots), data: make([]byte, size),
		}
		for i, s := range [...]uint32{0, state1, state2, 0} {
			if i > 0 {
				w.shared.state.Store(s)
				w.shared.released.Store([]uint32{released1, released2}[i%2])
			}
			for range slots + 1 {
				if p := w.Stage(int(bytes) + 1); len(p) > size || p != nil && len(p) != int(bytes)+1 {
					t.Fatalf("%d bytes of room", len(p))
				}
			}
			if w.Publish() != nil || w.Shown() > slots {
				if w.Shown() > slots {
					t.Fatalf("%d messages are shown", w.Shown())
				}
				return // found out: it is not used any more
			}
			if n, err := w.Taken(); n < 0 || n > slots || err != nil && err != ErrCorrupt {
				t.Fatalf("%d taken, %v", n, err)
			}
			w.Want()
			if w.Withdraw() != nil {
				return
			}
		}
	})
}
