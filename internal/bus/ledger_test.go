package bus

import (
	"slices"
	"testing"
)

// The ledger against a slice that is searched from one end.
func FuzzLedger(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0x81, 0x82, 0x83})
	var many []byte
	for i := range 300 {
		many = append(many, byte(i*7%100))
	}
	for i := range 400 {
		many = append(many, 0x80|byte(i*13%128), byte(i*3%100))
	}
	f.Add(many)
	f.Add(slices.Concat(slices.Repeat([]byte{5}, 200), slices.Repeat([]byte{0x85}, 201)))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var l ledger[byte]
		var s []byte
		for _, step := range steps {
			key := step & 0x7f
			newest := key%2 == 0 // which end each key is taken from
			if step < 0x80 {
				l.add(key)
				s = append(s, key)
			} else {
				i := slices.Index(s, key)
				if newest {
					for i = len(s) - 1; i >= 0 && s[i] != key; i-- {
					}
				}
				if got := l.remove(key, newest); got != (i >= 0) {
					t.Fatalf("removing %d gives %v of %v", key, got, s)
				}
				if i >= 0 && (newest || l.index == nil) {
					s = slices.Delete(s, i, i+1)
				} else if i >= 0 { // any
					for i = len(s) - 1; s[i] != key; i-- {
					}
					s = slices.Delete(s, i, i+1)
				}
			}
			if l.len() != len(s) {
				t.Fatalf("%d entries, want %d", l.len(), len(s))
			}
			if l.has(key, newest) != slices.Contains(s, key) {
				t.Fatalf("has %d: %v", key, !slices.Contains(s, key))
			}
		}
		count := map[byte]int{}
		for i := range l.list.len() {
			if e := l.list.at(i); !e.hole {
				count[e.key]++
			}
		}
		for _, key := range s {
			count[key]--
		}
		for key, n := range count {
			if n != 0 {
				t.Fatalf("%d of %d too many", n, key)
			}
		}
		if n := l.list.len(); n > 0 && (l.list.at(0).hole || l.list.at(n-1).hole) || l.holes > l.len()+glance {
			t.Fatalf("%d holes among %d entries, or one at an end", l.holes, l.len())
		}
	})
}

// Whatever the order in which entries go, each costs some steps, not some for each of the others.
func TestLedgerIsLinear(t *testing.T) {
	const n = 20_000
	for name, order := range map[string]func(i int) int{
		"first in, first out": func(i int) int { return i },
		"last in, first out":  func(i int) int { return n - 1 - i },
		"anyhow":              func(i int) int { return i * 7919 % n },
	} {
		var l ledger[int]
		for i := range n {
			l.add(i)
		}
		for i := range n {
			if !l.has(order(i), false) || !l.remove(order(i), false) || l.has(order(i), false) && i == 0 {
				t.Fatalf("%s: %d", name, i)
			}
		}
		if l.len() != 0 || l.index != nil || l.steps > 10*n {
			t.Errorf("%s: %d steps for %d entries; %d are left, index %v", name, l.steps, n, l.len(), l.index != nil)
		}
	}
}
