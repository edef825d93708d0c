package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"kbus.example/kbus"
)

// world is a bus to test on. Every test runs on all kinds: what is true of one is to be true of the others.
type world struct {
	testing.TB
	open    func(opts ...kbus.Option) (*kbus.Ksock, error)
	observe func() (*kbus.Observer, error)
	end     func() // as if the daemon died
}

func inside(t *testing.T, bus *kbus.Bus, open func(context.Context, ...kbus.Option) (*kbus.Ksock, error)) *world {
	return &world{t,
		func(opts ...kbus.Option) (*kbus.Ksock, error) { return open(t.Context(), opts...) },
		func() (*kbus.Observer, error) { return bus.Observe(t.Context()) },
		func() { bus.Close() },
	}
}

func onAll(t *testing.T, test func(*world)) {
	t.Run("inside", func(t *testing.T) {
		bus := kbus.NewBus()
		t.Cleanup(func() { bus.Close() })
		test(inside(t, bus, bus.Open))
	})
	t.Run("dribbling", func(t *testing.T) {
		bus := kbus.NewBus()
		t.Cleanup(func() { bus.Close() })
		test(inside(t, bus, bus.OpenDribbling))
	})
	t.Run("daemon", func(t *testing.T) {
		d := startDaemon(t, tempDir(t))
		test(&world{t, d.open, d.observe, d.kill})
	})
}

// tempDir is short: the path of a socket may have 107 bytes.
func tempDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// ksock opens one, and closes it when the test ends.
func (w *world) ksock(opts ...kbus.Option) *kbus.Ksock {
	w.Helper()
	k, err := w.open(opts...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { k.Close() })
	return k
}

// bound is a Ksock that is bound to some names.
func (w *world) bound(as kbus.Role, names ...string) *kbus.Ksock {
	w.Helper()
	k := w.ksock()
	for _, name := range names {
		w.must(k.Bind(w.Context(), name, as))
	}
	return k
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// send sends a message, which must be accepted.
func (w *world) send(k *kbus.Ksock, m *kbus.Message) kbus.Sent {
	w.Helper()
	sent, err := k.Send(w.Context(), m)
	w.must(err)
	return sent
}

// fails checks an error against a condition, or any other target of errors.Is, and the errno that goes with it.
func (w *world) fails(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("got %v, want %v", err, want)
	}
	if c, ok := want.(kbus.Condition); ok && !errors.Is(err, c.Errno()) {
		w.Errorf("got %v, which is not %v", err, c.Errno())
	}
}

// reads checks what a Ksock has to receive, each message as it prints; nothing more may be there.
func (w *world) reads(k *kbus.Ksock, want ...string) (last *kbus.Message) {
	w.Helper()
	for _, line := range append(want, "<nil>") {
		m, err := k.Next(w.Context())
		if err != nil {
			w.Fatalf("instead of %s: %v", line, err)
		}
		if got := fmt.Sprint(m); got != line {
			w.Fatalf("\n got %s\nwant %s", got, line)
		}
		if m != nil {
			last = m
		}
	}
	return last
}

// is checks one value.
func is[T comparable](w *world, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Errorf("%s is %v, not %v", what, got, want)
	}
}
