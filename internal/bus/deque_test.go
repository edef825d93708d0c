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
	f.Add([]byte{0x3f, 0x3f, 0x3f, 0x3f, 0x7f, 0xc1, 0x3f, 0xc5, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0x03})
	f.Add([]byte("\a\a\xafAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xaf")) // empties, and begins again at the front
	f.Fuzz(func(t *testing.T, steps []byte) {
		var d deque[int]
		var s []int
		steps = steps[:min(len(steps), 300)] // each is compared in full
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
			case 2: // from the back
				for ; n > 0 && len(s) > 0; n-- {
					last := len(s) - 1
					if got := d.popBack(); got != s[last] {
						t.Fatalf("step %d: took %d, want %d", i, got, s[last])
					}
					s = s[:last]
				}
			case 3: // many, from the front; or all but a few at once
				if n < 4 {
					left := len(s) * n / 4
					if n == 3 {
						d.truncate(left)
					} else {
						rest := d.split(left)
						other := make([]int, 0, len(s)-left)
						for i := range rest.len() {
							other = append(other, *rest.at(i))
						}
						want := slices.Clone(s[left:])
						slices.Sort(other)
						slices.Sort(want)
						if !slices.Equal(other, want) {
							t.Fatalf("split off %v, want %v", other, want)
						}
						rest.pushFront(1)
						same(t, &rest, append([]int{1}, gather(&rest)[1:]...))
					}
					s = s[:left]
					break
				}
				for ; n > 0 && len(s) > 0; n-- {
					if got := d.popFront(); got != s[0] {
						t.Fatalf("step %d: took %d, want %d", i, got, s[0])
					}
					s = s[1:]
				}
			}
			same(t, &d, s)
		}
	})
}

func gather(d *deque[int]) (all []int) {
	for i := range d.len() {
		all = append(all, *d.at(i))
	}
	return all
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
	for i, seen := 0, 0; i < len(s); i += seen {
		run := d.run(i)
		if seen = len(run); seen == 0 || !slices.Equal(run, s[i:i+seen]) {
			t.Fatalf("the run at %d is %v of %v", i, run, s)
		}
	}
	held, blocks := 0, 0
	for _, b := range d.blocks {
		if b == nil {
			continue
		}
		blocks++
		for _, v := range b {
			if v != 0 {
				held++
			}
		}
	}
	if held != len(s) {
		t.Fatalf("the blocks hold %d entries for a length of %d", held, len(s))
	}
	if blocks > d.used()+1 || blocks > len(s)/blockEntries+2 {
		t.Fatalf("%d blocks for %d entries", blocks, len(s))
	}
	if rooms := len(d.blocks); rooms > 4*firstBlocks && d.used() < rooms/4-1 {
		t.Fatalf("a ring of %d for %d blocks", rooms, blocks)
	}
}

// What a burst needed does not stay, while something is left in the queue either, and is used again by others.
func TestDequeGivesBlocksBack(t *testing.T) {
	p := &pool[int]{}
	d := deque[int]{pool: p}
	for i := range 100 * blockEntries {
		d.pushBack(i + 1)
	}
	for d.len() > 1 {
		d.popFront()
	}
	same(t, &d, []int{100 * blockEntries})
	if len(p.free) != 99 {
		t.Errorf("%d blocks given back, want 99", len(p.free))
	}
	other := deque[int]{pool: p}
	for i := range 99 * blockEntries {
		other.pushBack(i + 1)
	}
	if len(p.free) != 0 {
		t.Errorf("%d blocks not used again", len(p.free))
	}
	for i := range 2 * pooledBlocks * blockEntries {
		other.pushFront(i)
	}
	for other.len() > 0 {
		other.popBack()
	}
	if len(p.free) != pooledBlocks {
		t.Errorf("%d blocks kept, want %d", len(p.free), pooledBlocks)
	}
}
