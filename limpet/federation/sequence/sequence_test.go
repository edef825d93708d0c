package sequence

import (
	"testing"

	"pgregory.net/rapid"
)

// From any arrivals, in any order, with losses, duplicates and items that are gone from the stream, what is delivered
// is what the stream has, in order and once, and fetching ends.
func TestSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const last = 40
		var exists [last + 1]bool
		for i := 1; i <= last; i++ {
			exists[i] = rapid.IntRange(0, 9).Draw(t, "exists") > 0
		}
		exists[last] = true
		s := New[uint64](1)
		var got []uint64
		deliver := func(n, item uint64) {
			if n != item {
				t.Fatalf("%d is called %d", item, n)
			}
			got = append(got, n)
		}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			if n := rapid.Uint64Range(1, last).Draw(t, "n"); rapid.Bool().Draw(t, "arrives") {
				s.Arrived(n, n, deliver)
			} else if s.Missing() {
				fetch(s, exists[:], deliver)
			}
		}
		s.Exists(last)
		for rounds := 0; s.Missing(); rounds++ {
			if rounds > last {
				t.Fatal("never ends")
			}
			fetch(s, exists[:], deliver)
		}
		before, have := uint64(0), map[uint64]bool{}
		for _, n := range got {
			if n <= before {
				t.Fatalf("%d after %d", n, before)
			}
			before, have[n] = n, true
		}
		for n := uint64(1); n <= last; n++ {
			if exists[n] && !have[n] {
				t.Fatalf("%d is lost", n)
			}
		}
		if s.Lag() != 0 || len(s.held) != 0 {
			t.Fatalf("lag %d, held %d", s.Lag(), len(s.held))
		}
	})
}

func fetch(s *Sequence[uint64], exists []bool, deliver func(uint64, uint64)) {
	for n := s.Next(); n < uint64(len(exists)); n++ {
		if exists[n] {
			s.Fetched(n, n, deliver)
			return
		}
	}
}

// What is held has a limit, and what did not fit is fetched.
func TestHeldIsLimited(t *testing.T) {
	s := New[int](1)
	count := 0
	deliver := func(uint64, int) { count++ }
	s.Exists(1)
	if !s.Missing() || s.Early() {
		t.Errorf("what exists and has not come: missing %t, early %t", s.Missing(), s.Early())
	}
	for n := uint64(2); n < 3*MaxHeld; n++ {
		s.Arrived(n, 0, deliver)
	}
	if !s.Early() {
		t.Error("what has come is not early")
	}
	if len(s.held) != MaxHeld {
		t.Errorf("%d are held", len(s.held))
	}
	for s.Missing() {
		s.Fetched(s.Next(), 0, deliver)
	}
	if count != 3*MaxHeld-1 {
		t.Errorf("%d delivered", count)
	}
}

// A tail that is gone from the stream is not waited for.
func TestNothing(t *testing.T) {
	s := New[int](5)
	s.Exists(9)
	if s.Lag() != 5 {
		t.Errorf("lag %d", s.Lag())
	}
	s.Nothing(9)
	if s.Missing() || s.Next() != 10 {
		t.Errorf("missing %t, next %d", s.Missing(), s.Next())
	}
}
