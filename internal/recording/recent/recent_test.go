package recent

import (
	"bytes"
	"errors"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/internal/wire"
	"pgregory.net/rapid"
)

const second = int64(1e9)

func serials(t *testing.T, s *Events, now int64) (found []uint64) {
	t.Helper()
	if err := s.Each(now, func(e *event.Event) error { found = append(found, e.Serial); return nil }); err != nil {
		t.Fatal(err)
	}
	return found
}

// All of an event comes back.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := sample.Any().Draw(r, "event")
		want.Boot = max(want.Boot, 0)
		s := New(1<<62, 1<<20)
		if !s.Add(&want) {
			r.Fatal("there is no room")
		}
		form := func(e *event.Event) []byte { t := e.Tap(); return wire.AppendTapEvent(nil, &t) }
		count := 0
		_ = s.Each(want.Boot, func(got *event.Event) error {
			count++
			if got.Serial != want.Serial || got.Bus != want.Bus || got.Kind != want.Kind || got.Condition != want.Condition || !bytes.Equal(form(got), form(&want)) {
				r.Fatalf("%+v, want %+v", got, want)
			}
			return nil
		})
		if count != 1 {
			r.Fatalf("%d events", count)
		}
	})
}

// What is older than the span is not given, and at last not kept.
func TestSpan(t *testing.T) {
	s := New(10*second, 1<<20)
	e := event.Event{Kind: event.Sent, Name: []byte("$.A"), Data: make([]byte, 40_000)} // one to a block
	for i := range int64(60) {
		e.Serial, e.Boot = uint64(i), 100*second+i*second
		s.Add(&e)
	}
	if got := serials(t, s, e.Boot); len(got) != 11 || got[0] != 49 {
		t.Errorf("%d", got)
	}
	if got := serials(t, s, e.Boot+4*second); len(got) != 7 || got[0] != 53 {
		t.Errorf("later: %d", got)
	}
	if s.Bytes() > 12*blockBytes {
		t.Errorf("%d bytes are kept", s.Bytes())
	}
	lost := event.Event{Missed: 7, Serial: 60} // has no time
	s.Add(&lost)
	if got := serials(t, s, e.Boot); got[len(got)-1] != 60 {
		t.Errorf("%d", got)
	}
}

// The memory has a limit whatever comes, and the newest are what is kept.
func TestBytes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		most := rapid.IntRange(0, 1<<20).Draw(r, "most")
		s := New(1<<62, most)
		most = max(most, Least)
		var last uint64
		kept := map[uint64]bool{}
		for range rapid.IntRange(1, 60).Draw(r, "events") {
			last++
			e := event.Event{Serial: last, Boot: int64(last), Data: make([]byte, rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 1<<20+1000)).Draw(r, "length"))}
			kept[last] = s.Add(&e)
			if s.Bytes() > most {
				r.Fatalf("%d bytes of %d", s.Bytes(), most)
			}
		}
		found := serials(t, s, int64(last))
		for i, n := range found {
			if i > 0 {
				for between := found[i-1] + 1; between < n; between++ {
					if kept[between] {
						r.Fatalf("%d is not there, but %d", between, found)
					}
				}
			}
		}
		if len(found) > 0 && kept[last] != (found[len(found)-1] == last) {
			r.Fatalf("%d, of %d", found, last)
		}
	})
}

// What has been taken stays as it is, while more is added.
func TestTake(t *testing.T) {
	s := New(1<<62, Least)
	add := func(from, to uint64) {
		for i := from; i <= to; i++ {
			s.Add(&event.Event{Serial: i, Boot: int64(i), Data: make([]byte, 1000)})
		}
	}
	add(1, 50)
	taken := s.Take()
	if got := serials(t, s, 50); len(got) != 0 || s.Bytes() != 0 {
		t.Errorf("%d are still there", got)
	}
	add(51, 400)
	if got := serials(t, taken, 50); len(got) != 50 || got[0] != 1 || got[49] != 50 {
		t.Errorf("%d", got)
	}
	failure := errors.New("full")
	if err := s.Each(400, func(*event.Event) error { return failure }); !errors.Is(err, failure) {
		t.Error(err)
	}
}

// Keeping an event costs no memory but what it is copied to.
func TestNoGarbage(t *testing.T) {
	s := New(1<<62, Least)
	e := event.Event{Kind: event.Sent, Name: []byte("$.A.B"), Data: make([]byte, 100), Boot: 1}
	if n := testing.AllocsPerRun(10_000, func() { s.Add(&e) }); n > 0.1 {
		t.Errorf("%v allocations an event", n)
	}
}
