package bus

import (
	"slices"
	"testing"
)

// The deque against a slice that does the same slowly. A byte is a step: the upper bits say what, the lower how often
// or where.

func FuzzDeque(f *testing.F) {
	f.Add([]byte{0x03, 0x42, 0x80, 0xc1, 0x41, 0x85, 0xff})
	f.Add([]byte{0x07, 0x80, 0x80, 0x07, 0x47, 0x07, 0x84, 0x90}) // wraps round the ring, grows while wrapped
	f.Add([]byte{0x3f, 0x3f, 0x7f, 0xa0, 0x9f, 0xbf, 0x81})
	f.Add(slices.Repeat([]byte{0x02, 0x81}, 50))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var d deque[int]
		var s []int
		for i, step := range steps {
			n := int(step & 0x3f)
			switch step >> 6 {
			case 0:
				for j := range n {
					d.pushBack(i<<8 + j + 1)
					s = append(s, i<<8+j+1)
				}
			case 1:
				for j := range n {
					d.pushFront(i<<8 + j + 1)
					s = slices.Insert(s, 0, i<<8+j+1)
				}
			case 2: // anywhere
				if len(s) > 0 {
					at := n * len(s) / 64
					if got := d.remove(at); got != s[at] {
						t.Fatalf("step %d: removed %d at %d, want %d", i, got, at, s[at])
					}
					s = slices.Delete(s, at, at+1)
				}
			case 3: // many, from the front
				for ; n > 0 && len(s) > 0; n-- {
					if got := d.remove(0); got != s[0] {
						t.Fatalf("step %d: took %d, want %d", i, got, s[0])
					}
					s = s[1:]
				}
			}
			same(t, &d, s)
		}
	})
}

// same compares contents, and finds what was taken out and is still held.
func same(t *testing.T, d *deque[int], s []int) {
	t.Helper()
	if d.len() != len(s) {
		t.Fatalf("length %d, want %d", d.len(), len(s))
	}
	for i, v := range s {
		if *d.at(i) != v {
			t.Fatalf("entry %d is %d, want %d of %v", i, *d.at(i), v, s)
		}
	}
	held := 0
	for _, v := range d.ring {
		if v != 0 {
			held++
		}
	}
	if held != len(s) {
		t.Fatalf("the ring holds %d entries for a length of %d", held, len(s))
	}
}

func TestDequeGivesALargeRingBack(t *testing.T) {
	for _, c := range []struct{ most, kept int }{{keptRing, keptRing}, {keptRing + 1, 0}} {
		var d deque[int]
		for i := range c.most {
			d.pushBack(i + 1)
		}
		for d.len() > 1 {
			d.remove(d.len() - 1)
		}
		if len(d.ring) < c.most {
			t.Errorf("after %d entries: a ring of %d before it is empty", c.most, len(d.ring))
		}
		d.remove(0)
		if len(d.ring) != c.kept {
			t.Errorf("after %d entries: a ring of %d when empty, want %d", c.most, len(d.ring), c.kept)
		}
		d.pushFront(7)
		same(t, &d, []int{7})
	}
}
