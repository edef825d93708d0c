package leasekeeper

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/lease"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/server"
	"kbus.example/kbus/limpet/federation/store"
)

// world is a real server, and a clock that goes on when the test says so.
type world struct {
	*testing.T
	leases *store.Bucket
	nc     *nats.Conn
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
	w.nc = nc
	w.leases, err = Open(t.Context(), store.NATS{Conn: nc}, "test", 1)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) keeper(where string) *Keeper {
	k := New(Config{Leases: w.leases, Key: "lease.7", Federation: "test", Member: 7, Where: where})
	k.now = func() time.Time { return w.time }
	return k
}

// taken takes the lease, which must succeed.
func (w *world) taken(where string) *Keeper {
	w.Helper()
	k := w.keeper(where)
	w.must(k.Take(w.Context()))
	return k
}

func (w *world) refresh(k *Keeper) error {
	w.Helper()
	_, err := k.answered(w.Context(), k.attempt(w.Context(), attempt{start: w.time, expects: k.revision()}))
	return err
}

// waits tries to take a lease of which it is not known yet whether its holder is alive.
func (w *world) waits(k *Keeper) {
	w.Helper()
	var refusal *retry.Refusal
	if err := k.Take(w.Context()); err == nil || errors.As(err, &refusal) {
		w.Fatalf("takes a lease before it can know anything: %v", err)
	}
}

func (w *world) ousted(k *Keeper, words string) {
	w.Helper()
	var out *Lost
	if err := w.refresh(k); !errors.As(err, &out) || !strings.Contains(err.Error(), words) {
		w.Errorf("refreshed with %v, which does not say %q", err, words)
	}
}

// A second member with the same id elsewhere is refused as soon as the first one shows that it is alive, and the first one
// keeps its lease.
func TestAlive(t *testing.T) {
	w := newWorld(t)
	first, second := w.taken("here"), w.keeper("there")
	w.waits(second)
	w.must(w.refresh(first))
	var refusal *retry.Refusal
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
	first, second := w.taken("here"), w.keeper("there")
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
	late := Record{Member: 7, Epoch: 1 << 60, Over: true}
	_, err := w.leases.Swap(t.Context(), "lease.7", late.Bytes(), 0)
	w.must(err)
	if k := w.taken("here"); k.Epoch() != late.Epoch+1 {
		t.Errorf("epoch %d after %d", k.Epoch(), late.Epoch)
	}
}

// Another may end the lease, or remove it.
func TestEnded(t *testing.T) {
	w := newWorld(t)
	k := w.taken("here")
	over := k.record(w.time)
	over.Over = true
	revision, err := w.leases.Swap(t.Context(), k.Key, over.Bytes(), k.revision())
	w.must(err)
	w.ousted(k, "was ended")
	w.must(w.leases.Delete(t.Context(), k.Key, revision))
	w.ousted(k, "was removed")
}

// A refresh whose result was lost is none: the next one finds the revision, and only then is the lease renewed.
func TestLostResult(t *testing.T) {
	w := newWorld(t)
	var until []time.Time
	k := w.keeper("here")
	k.Renewed = func(end time.Time) error { until = append(until, end); return nil }
	w.must(k.Take(t.Context()))
	_, err := w.leases.Swap(t.Context(), k.Key, k.record(w.time).Bytes(), k.revision())
	w.must(err)
	w.time = w.time.Add(lease.Fence)
	w.must(w.refresh(k)) // it learns the revision
	if k.Vouches() || k.InTouch() || len(until) != 1 {
		t.Errorf("it proves something: vouches %t, in touch %t, renewed %d times", k.Vouches(), k.InTouch(), len(until))
	}
	confirmed := make(chan error, 1)
	go func() { confirmed <- k.Confirm(t.Context()) }()
	w.must(w.refresh(k))
	w.must(<-confirmed)
	if left := k.Left(); left != lease.Fence || !k.InTouch() || len(until) != 2 || !until[1].Equal(k.Until()) {
		t.Errorf("left %v, in touch %t, renewed %v", left, k.InTouch(), until)
	}
	bus := errors.New("the bus is gone")
	k.Renewed = func(time.Time) error { return bus }
	if err := w.refresh(k); !errors.Is(err, bus) {
		t.Errorf("a refresh that nobody can be told of ends with %v", err)
	}
}

// An answer that comes late, after the next refresh was tried in vain, renews the lease all the same, from when its own
// refresh was started.
func TestLateAnswer(t *testing.T) {
	for _, lateLast := range []bool{true, false} {
		w := newWorld(t)
		k := w.taken("here")
		expects, start := k.revision(), w.time.Add(lease.Refresh)
		late := k.attempt(t.Context(), attempt{start: start, expects: expects})
		w.time = start.Add(store.Patience)
		vain := k.attempt(t.Context(), attempt{start: w.time, expects: expects})
		if late.err != nil || !errors.Is(vain.err, store.ErrChanged) {
			t.Fatalf("%v, %v", late.err, vain.err)
		}
		answers := []attempt{late, vain}
		if lateLast {
			answers = []attempt{vain, late}
		}
		for _, a := range answers {
			_, err := k.answered(t.Context(), a)
			w.must(err)
		}
		if !k.Until().Equal(start.Add(lease.Fence)) || k.revision() != late.made {
			t.Errorf("late last %t: until %v after its start, at revision %d, want %d", lateLast, k.Until().Sub(start),
				k.revision(), late.made)
		}
		w.must(w.refresh(k))
	}
}

// Keep refreshes without being asked, and goes on until it is ousted.
func TestKeep(t *testing.T) {
	w := newWorld(t)
	k := New(Config{Leases: w.leases, Key: "lease.7", Federation: "test", Member: 7, Where: "here"})
	renewed := make(chan time.Time, 10)
	k.Renewed = func(until time.Time) error { renewed <- until; return nil }
	w.must(retry.Until(t.Context(), w.log, "no lease", k.Take))
	ended := make(chan error, 1)
	go func() { ended <- k.Keep(t.Context()) }()
	if first, second := <-renewed, <-renewed; !second.After(first) {
		t.Errorf("renewed until %v, and then %v", first, second)
	}
	w.taken("here")
	var out *Lost
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
	var refusal *retry.Refusal
	k := w.keeper("here")
	err = retry.Until(t.Context(), w.log, "no lease", k.Take)
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "kb_test_leases") {
		t.Errorf("it gets %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := retry.Until(over, w.log, "never", func(context.Context) error { return errors.New("no") }); !errors.Is(err, context.Canceled) {
		t.Errorf("Insist goes on: %v", err)
	}
}

// A lease that has lapsed, and the servers have lost all leases: whoever waits for it to be refreshed waits for ever.
func TestServersForgot(t *testing.T) {
	w := newWorld(t)
	k := w.taken("here")
	_, err := w.nc.Request("$JS.API.STREAM.DELETE.KV_kb_test_leases", nil, store.Patience)
	w.must(err)
	w.time = w.time.Add(lease.Fence)
	if err := k.Keep(t.Context()); !errors.Is(err, store.ErrAnew) {
		t.Errorf("%v", err)
	}
}
