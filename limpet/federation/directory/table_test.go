package directory

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kbus.example/kbus/message"
)

// The look-up agrees with trying every claim, as the rules are written: exact before `%` before `*`, longest first.
func TestLookup(t *testing.T) {
	binding := rapid.StringMatching(`\$(\.[ab]{1,2}){0,3}\.([*%]|[ab])`)
	rapid.Check(t, func(t *rapid.T) {
		table := New()
		for i, name := range rapid.SliceOfN(binding, 0, 12).Draw(t, "bindings") {
			table.Set(name, Claim{Member: uint32(i + 1)})
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
	table.Set("$.*", Claim{Member: 1})
	if n := testing.AllocsPerRun(100, func() { table.Lookup("$.A.B.C.D") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOver(t *testing.T) {
	table := New()
	if table.Over(1, 1) {
		t.Error("over, and never heard of")
	}
	table.SetMember(Member{ID: 1, Epoch: 5})
	for epoch, want := range map[uint64]bool{4: true, 5: false, 6: false} {
		if table.Over(1, epoch) != want {
			t.Errorf("epoch %d over: %t", epoch, !want)
		}
	}
	table.SetMember(Member{ID: 1, Epoch: 5, Over: true})
	if !table.Over(1, 5) {
		t.Error("not over after its end")
	}
}

// The next ones around are found as by going round one by one.
func TestSuccessors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, over := New(), map[uint32]bool{}
		id := rapid.Uint32Range(1, 20)
		own, n := id.Draw(t, "own"), rapid.IntRange(1, 4).Draw(t, "n")
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			b := Member{ID: id.Draw(t, "id"), Over: rapid.Bool().Draw(t, "over")}
			if b.ID != own {
				table.SetMember(b)
				over[b.ID] = b.Over
			}
		}
		population := 0
		for _, o := range over {
			if !o {
				population++
			}
		}
		if table.Population() != population {
			t.Fatalf("population %d of %v", table.Population(), over)
		}
		var want []uint32
		for alive, next := 0, own%20+1; next != own && alive < n; next = next%20 + 1 {
			if o, known := over[next]; known {
				want = append(want, next)
				if !o {
					alive++
				}
			}
		}
		var got []uint32
		for _, b := range table.Successors(own, n) {
			got = append(got, b.ID)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("after %d: %v, want %v, of %v", own, got, want, over)
		}
	})
}
