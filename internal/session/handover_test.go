package session

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/testing/fields"
)

// TestScriptsHandedOver: every script has the same outcomes when the Engine is handed over before each line.
func TestScriptsHandedOver(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, name, text, runWith(t, text, (*world).handOver))
		})
	}
}

// handOver puts another Engine in the place of the Engine: one made from its state, after that has been bytes. One with
// something under way, and one that ends, stay.
func (w *world) handOver() {
	old := w.e
	for _, s := range slices.Clone(old.sessions) {
		if IsEnding(s) && s.ksock == nil { // as its owner would
			old.Disconnect(s)
		}
	}
	if old.stopping || slices.ContainsFunc(old.sessions, IsEnding) {
		return
	}
	bus.TakeBack(old.bus)
	state, indexes, err := StateOf(old)
	if err == bus.ErrAtWork {
		return
	}
	var got State
	c := form.Reader(1, form.Append(nil, 1, state.Code))
	if got.Code(c); c.Err() != nil {
		w.t.Fatal("through bytes: ", c.Err())
	}
	b, ksocks, err := bus.FromState(got.Bus, w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	e := NewEngine(old.number, b, old.host)
	e.server, e.permits = old.server, old.permits
	e.SetTaps(old.taps.Taps)
	e.Alarm(old.federation.alarm)
	if old.federation.required {
		e.RequireFederator()
	}
	sessions, err := Restore(e, &got, ksocks, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range w.clients {
		if at, there := indexes[c.Session]; there {
			c.Session = sessions[at]
		}
	}
	w.e = e
	e.Pump()
}

// TestEveryFieldIsHandedOver: as in package bus, a new field must be handed over, or somebody have said that it need not be.
func TestEveryFieldIsHandedOver(t *testing.T) {
	for _, of := range []struct {
		is         any
		over, rest string
	}{
		{Engine{}, "number bus sessions taps federation", "host server buffers header stopping pieces permits explain grant ready stale dirty"},
		{Session{}, "peer ksock file mode greeted marks runs out tap deaf nexts calls sents bindRequests readables binds",
			"Tag engine index closed ended window report dirty ready stale"},
		{Peer{}, "UID GID PID Administrator MayTap Program", "Judge"},
		{output{}, "buf sent run eager pieces", "spare bytes"},
		{tap{}, "seq filter missed full waiting", ""},
		{federation{}, "federator strict names lapsed requests lastID", "required alarm"},
		{bindRequest{}, "id ksock name of waiter op standby seq handedOut decided outcome", ""},
		{taps{}, "sessions", "Taps"},
	} {
		fields.Check(t, of.is, of.over, of.rest)
	}
}
