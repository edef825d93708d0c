package federation

import (
	"slices"
	"testing"

	"kbus.example/kbus/limpet/federation/envelope"
)

// announced is the count of a member, as an announcement carries it.
func announced(member uint32, epoch, count uint64) *envelope.Envelope {
	return &envelope.Envelope{Kind: envelope.Broadcast, Member: member, Epoch: epoch, Count: count}
}

// A number that does not come is a loss, from the first one that has come on, in each epoch anew.
func TestGaps(t *testing.T) {
	g := newGaps(true)
	for _, e := range []*envelope.Envelope{
		announced(2, 5, 10), announced(2, 5, 11), announced(2, 5, 14), announced(2, 5, 12), // 12 and 13 are lost; 12 is late
		announced(2, 6, 3),                     // in a new epoch 1 and 2
		announced(2, 5, 20),                    // of an epoch that is over
		announced(3, 1, 1), announced(3, 1, 2), // nothing
	} {
		g.Counted(e, e.Count)
	}
	if got := g.news(); !slices.Equal(got, []lossNews{{2, 4, 4}}) {
		t.Errorf("%+v", got)
	}
	count := announced(2, 6, 5)
	count.Kind = envelope.Count // it has announced 5 and then nothing
	g.Counted(count, count.Count+1)
	g.Missed(3)
	if got := g.news(); !slices.Equal(got, []lossNews{{2, 2, 6}, {3, 1, 1}}) {
		t.Errorf("%+v", got)
	}
	if got := g.news(); got != nil {
		t.Errorf("reported again: %+v", got)
	}
	if n, lost := g.seen(2); n != 5 || lost != 6 {
		t.Errorf("%d announced, %d lost", n, lost)
	}
}

// A member that shares only some names does not count what it did not subscribe to.
func TestGapsOfSomeNames(t *testing.T) {
	g := newGaps(false)
	for _, n := range []uint64{1, 5, 9} {
		g.Counted(announced(2, 1, n), n)
	}
	if got := g.news(); got != nil {
		t.Errorf("%+v", got)
	}
}

// A member that is not in the directory twice in a row is reported once.
func TestStrangers(t *testing.T) {
	g := newGaps(true)
	g.Counted(announced(2, 1, 1), 1)
	g.Counted(announced(3, 1, 1), 1)
	known := func(member uint32) bool { return member == 3 }
	for i, want := range [][]uint32{nil, {2}, nil} {
		if got := g.strangers(known); !slices.Equal(got, want) {
			t.Errorf("the %d. time: %v, want %v", i+1, got, want)
		}
	}
}
