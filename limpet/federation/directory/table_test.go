package directory

import (
	"testing"

	"pgregory.net/rapid"

	"kbus/message"
)

// The look-up agrees with trying every claim, as the rules are written: exact before `%` before `*`, longest first.
func TestLookup(t *testing.T) {
	binding := rapid.StringMatching(`\$(\.[ab]{1,2}){0,3}\.([*%]|[ab])`)
	rapid.Check(t, func(t *rapid.T) {
		table := New()
		for i, name := range rapid.SliceOfN(binding, 0, 12).Draw(t, "bindings") {
			table.Set(name, Claim{Bowl: uint32(i + 1)})
		}
		name := rapid.StringMatching(`\$(\.[ab]{1,2}){1,4}`).Draw(t, "name")
		best, want := "", Claim{}
		for b, c := range table.Claims() {
			if !message.Matches(b, name) {
				continue
			}
			if best == "" || message.ClassOf(b) > message.ClassOf(best) ||
				message.ClassOf(b) == message.ClassOf(best) && len(b) > len(best) {
				best, want = b, c
			}
		}
		if got, ok := table.Lookup(name); ok != (best != "") || got != want {
			t.Fatalf("%s: %v, want %v by %s", name, got, want, best)
		}
	})
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := New()
	table.Set("$.*", Claim{Bowl: 1})
	if n := testing.AllocsPerRun(100, func() { table.Lookup("$.A.B.C.D") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOver(t *testing.T) {
	table := New()
	if table.Over(1, 1) {
		t.Error("over, and never heard of")
	}
	table.SetBowl(Bowl{ID: 1, Epoch: 5})
	for epoch, want := range map[uint64]bool{4: true, 5: false, 6: false} {
		if table.Over(1, epoch) != want {
			t.Errorf("epoch %d over: %t", epoch, !want)
		}
	}
	table.SetBowl(Bowl{ID: 1, Epoch: 5, Over: true})
	if !table.Over(1, 5) {
		t.Error("not over after its end")
	}
}
