package office

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"kbus/limpet/federation/lease"
	"kbus/limpet/federation/server"
	"kbus/limpet/federation/store"
)

// world is a real server, and a clock that goes on when the test says so.
type world struct {
	*testing.T
	leases *store.Store
	time   time.Time
	log    *slog.Logger
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, time: time.Unix(1000, 0), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	s, err := server.Start(server.Config{Name: "world", Listen: "127.0.0.1:0", Store: t.TempDir(), Log: w.log})
	w.must(err)
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect(s.ClientURL())
	w.must(err)
	t.Cleanup(nc.Close)
	w.leases, err = Open(t.Context(), nc, "test", 1)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) office(where string) *Office {
	o := New(Config{Leases: w.leases, Key: "lease.7", Federation: "test", Bowl: 7, Where: where})
	o.now = func() time.Time { return w.time }
	return o
}

// taken takes the lease, which must succeed.
func (w *world) taken(where string) *Office {
	w.Helper()
	o := w.office(where)
	w.must(o.Take(w.Context()))
	return o
}

func (w *world) refresh(o *Office) error {
	w.Helper()
	_, err := o.answered(w.Context(), o.attempt(w.Context(), attempt{start: w.time, expects: o.revision()}))
	return err
}

// waits tries to take a lease of which it is not known yet whether its holder is alive.
func (w *world) waits(o *Office) {
	w.Helper()
	var refusal *Refusal
	if err := o.Take(w.Context()); err == nil || errors.As(err, &refusal) {
		w.Fatalf("takes a lease before it can know anything: %v", err)
	}
}

func (w *world) ousted(o *Office, words string) {
	w.Helper()
	var out *Ousted
	if err := w.refresh(o); !errors.As(err, &out) || !strings.Contains(err.Error(), words) {
		w.Errorf("refreshed with %v, which does not say %q", err, words)
	}
}

// A second bowl with the same id elsewhere is refused as soon as the first one shows that it is alive, and the first one
// keeps its lease.
func TestAlive(t *testing.T) {
	w := newWorld(t)
	first, second := w.taken("here"), w.office("there")
	w.waits(second)
	w.must(w.refresh(first))
	var refusal *Refusal
	if err := second.Take(t.Context()); !errors.As(err, &refusal) || err.Error() !=
		"another bowl has id 7 and is alive: here; give each its own --id" {
		t.Errorf("the second gets %v", err)
	}
	w.must(w.refresh(first))
	if second.Vouches() || !first.Vouches() || second.Epoch() != 0 {
		t.Errorf("it has the lease: the first %t, the second %t", first.Vouches(), second.Vouches())
	}
}

// One that is silent is taken over, no sooner than when it has stopped vouching, and finds out when it wakes.
func TestSilent(t *testing.T) {
	w := newWorld(t)
	first, second := w.taken("here"), w.office("there")
	w.waits(second)
	w.time = w.time.Add(lease.Evict - 1)
	w.waits(second)
	if first.Vouches() {
		t.Error("it vouches still")
	}
	w.time = w.time.Add(1)
	w.must(second.Take(t.Context()))
	if second.Epoch() <= first.Epoch() {
		t.Errorf("epoch %d after %d", second.Epoch(), first.Epoch())
	}
	w.ousted(first, "taken by another")
	w.must(w.refresh(second))
}

// At the same place there is only one, so whoever comes there takes over at once; and what was handed back is free.
func TestTakenOver(t *testing.T) {
	w := newWorld(t)
	first := w.taken("here")
	second := w.taken("here")
	w.ousted(first, "taken by another")
	w.must(second.HandBack(t.Context()))
	third := w.taken("there")
	if !(first.Epoch() < second.Epoch() && second.Epoch() < third.Epoch()) {
		t.Errorf("epochs %d, %d, %d", first.Epoch(), second.Epoch(), third.Epoch())
	}
}

// Epochs grow, whatever time of day it is thought to be.
func TestEpochs(t *testing.T) {
	w := newWorld(t)
	late := Tenancy{Bowl: 7, Epoch: 1 << 60, Over: true}
	_, err := w.leases.Swap(t.Context(), "lease.7", late.bytes(), 0)
	w.must(err)
	if o := w.taken("here"); o.Epoch() != late.Epoch+1 {
		t.Errorf("epoch %d after %d", o.Epoch(), late.Epoch)
	}
}

// Another may end the lease, or remove it.
func TestEnded(t *testing.T) {
	w := newWorld(t)
	o := w.taken("here")
	over := o.tenancy(w.time)
	over.Over = true
	revision, err := w.leases.Swap(t.Context(), o.Key, over.bytes(), o.revision())
	w.must(err)
	w.ousted(o, "was ended")
	w.must(w.leases.Delete(t.Context(), o.Key, revision))
	w.ousted(o, "was removed")
}

// A refresh whose result was lost is none: the next one finds the revision, and only then is the lease renewed.
func TestLostResult(t *testing.T) {
	w := newWorld(t)
	var until []time.Time
	o := w.office("here")
	o.Renewed = func(end time.Time) error { until = append(until, end); return nil }
	w.must(o.Take(t.Context()))
	_, err := w.leases.Swap(t.Context(), o.Key, o.tenancy(w.time).bytes(), o.revision())
	w.must(err)
	w.time = w.time.Add(lease.Fence)
	w.must(w.refresh(o)) // it learns the revision
	if o.Vouches() || o.InTouch() || len(until) != 1 {
		t.Errorf("it proves something: vouches %t, in touch %t, renewed %d times", o.Vouches(), o.InTouch(), len(until))
	}
	confirmed := make(chan error, 1)
	go func() { confirmed <- o.Confirm(t.Context()) }()
	w.must(w.refresh(o))
	w.must(<-confirmed)
	if left := o.Left(); left != lease.Fence || !o.InTouch() || len(until) != 2 || !until[1].Equal(o.Until()) {
		t.Errorf("left %v, in touch %t, renewed %v", left, o.InTouch(), until)
	}
	bus := errors.New("the bus is gone")
	o.Renewed = func(time.Time) error { return bus }
	if err := w.refresh(o); !errors.Is(err, bus) {
		t.Errorf("a refresh that nobody can be told of ends with %v", err)
	}
}

// An answer that comes late, after the next refresh was tried in vain, renews the lease all the same, from when its own
// refresh was started.
func TestLateAnswer(t *testing.T) {
	for _, lateLast := range []bool{true, false} {
		w := newWorld(t)
		o := w.taken("here")
		expects, start := o.revision(), w.time.Add(lease.Refresh)
		late := o.attempt(t.Context(), attempt{start: start, expects: expects})
		w.time = start.Add(store.Patience)
		vain := o.attempt(t.Context(), attempt{start: w.time, expects: expects})
		if late.err != nil || !errors.Is(vain.err, store.ErrChanged) {
			t.Fatalf("%v, %v", late.err, vain.err)
		}
		answers := []attempt{late, vain}
		if lateLast {
			answers = []attempt{vain, late}
		}
		for _, a := range answers {
			_, err := o.answered(t.Context(), a)
			w.must(err)
		}
		if !o.Until().Equal(start.Add(lease.Fence)) || o.revision() != late.made {
			t.Errorf("late last %t: until %v after its start, at revision %d, want %d", lateLast, o.Until().Sub(start),
				o.revision(), late.made)
		}
		w.must(w.refresh(o))
	}
}

// Keep refreshes without being asked, and goes on until it is ousted.
func TestKeep(t *testing.T) {
	w := newWorld(t)
	o := New(Config{Leases: w.leases, Key: "lease.7", Federation: "test", Bowl: 7, Where: "here"})
	renewed := make(chan time.Time, 10)
	o.Renewed = func(until time.Time) error { renewed <- until; return nil }
	w.must(Insist(t.Context(), w.log, "no lease", o.Take))
	ended := make(chan error, 1)
	go func() { ended <- o.Keep(t.Context()) }()
	if first, second := <-renewed, <-renewed; !second.After(first) {
		t.Errorf("renewed until %v, and then %v", first, second)
	}
	w.taken("here")
	var out *Ousted
	if err := <-ended; !errors.As(err, &out) {
		t.Errorf("Keep ends with %v", err)
	}
	if out != nil && (out.Now.Where != "here" || out.Ours) {
		t.Errorf("ousted by %+v", out.Now)
	}
}

// What cannot be read is not taken, and waiting mends it not.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	_, err := w.leases.Swap(t.Context(), "lease.7", []byte("hello"), 0)
	w.must(err)
	var refusal *Refusal
	o := w.office("here")
	err = Insist(t.Context(), w.log, "no lease", o.Take)
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "kb_test_leases") {
		t.Errorf("it gets %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Insist(over, w.log, "never", func(context.Context) error { return errors.New("no") }); !errors.Is(err, context.Canceled) {
		t.Errorf("Insist goes on: %v", err)
	}
}
