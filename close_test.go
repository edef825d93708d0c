package kbus_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// Close wakes everybody who waits, whatever for, and whoever comes later is told.
func TestCloseWakes(t *testing.T) {
	onAll(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		waits := []func(*kbus.Ksock) error{
			func(k *kbus.Ksock) error { _, err := k.Receive(context.Background()); return err },
			func(k *kbus.Ksock) error { _, err := k.Receive(ctx); return err },
			func(k *kbus.Ksock) error { _, err := k.Call(ctx, kbus.Request("$.Silent", "")); return err },
			func(k *kbus.Ksock) error { _, err := k.NextReply(context.Background(), kbus.ID{Serial: 1}); return err },
			func(k *kbus.Ksock) error { return k.Serve(ctx, nil) },
			func(k *kbus.Ksock) error { return k.InPlace(ctx, nil) },
			func(k *kbus.Ksock) error { return k.Bind(ctx, "$.Shared.A", kbus.Replier) },
			func(k *kbus.Ksock) error { return k.Bind(ctx, "$.Shared.B", kbus.Replier) },
		}
		w.bound(kbus.Replier, "$.Silent")
		_, err := w.ksock().Bridge().Federate(w.Context(), false, "$.Shared.*") // and never decides
		w.must(err)
		for first := range waits { // whoever comes first receives for all
			k := w.ksock()
			var all sync.WaitGroup
			for i := range waits {
				wait := waits[(first+i)%len(waits)]
				all.Go(func() {
					if err := wait(k); !errors.Is(err, kbus.ErrClosed) {
						w.Errorf("%v", err)
					}
				})
			}
			for kbus.Waiters(k) < len(waits) {
				runtime.Gosched()
			}
			w.must(k.Close())
			all.Wait()
			w.must(k.Close())
			_, err := k.Next(w.Context())
			w.fails(err, kbus.ErrClosed)
		}
	})
}

// A Ksock is gone for everybody when Close has returned (R6.7), not some time later.
func TestCloseIsDone(t *testing.T) {
	onAll(t, func(w *world) {
		us := w.ksock()
		for range 100 {
			k := w.bound(kbus.Replier, "$.Q")
			k.Close()
			_, err := us.Send(w.Context(), kbus.Request("$.Q", ""))
			w.fails(err, kbus.ErrNoReplier)
		}
	})
}

// Nothing is left of a Ksock after Close: no goroutine, no descriptor.
func TestNothingLeft(t *testing.T) {
	onAll(t, func(w *world) {
		use := func() {
			k, err := w.open()
			w.must(err)
			w.must(k.Bind(w.Context(), "$.A", kbus.Listener))
			o, err := w.observe()
			w.must(err)
			ctx, cancel := context.WithCancel(w.Context())
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { k.Receive(ctx) })
				all.Go(func() { k.Receive(context.Background()) })
			}
			w.send(k, kbus.Announcement("$.A", ""))
			_, err = o.Info(w.Context())
			w.must(err)
			cancel()
			k.Close()
			o.Close()
			all.Wait()
		}
		use()
		before := descriptors(w)
		for range 20 {
			use()
		}
		if after := descriptors(w); after > before {
			w.Errorf("%d descriptors before, %d after", before, after)
		}
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for _, one := range strings.Split(string(stacks), "\n\n") {
			if strings.Contains(one, "kbus.(*") && !strings.Contains(one, "testing.tRunner") {
				w.Errorf("left over:\n%s", one)
			}
		}
	})
}

func descriptors(w *world) int {
	list, err := os.ReadDir("/proc/self/fd")
	w.must(err)
	return len(list)
}

// Open and Observe leave nothing behind when they fail.
func TestOpenErrors(t *testing.T) {
	w := &world{TB: t}
	dir := tempDir(t)
	before := descriptors(w)
	for range 3 {
		_, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
		w.fails(err, kbus.ErrNoSuchBus) // R1.3
		is(w, "the error", err.Error(),
			"kbus: open "+dir+"/bus0.sock: there is no such bus: nobody listens there; is kbusd running?")
		_, err = kbus.Observe(t.Context(), 7, kbus.Dir(dir))
		w.fails(err, kbus.ErrNoSuchBus)
	}
	for i, want := range []string{"there is only bus 0", "there are only buses 0, 12"} { // whoever runs with fewer is running
		w.must(os.WriteFile(kbus.SocketPath(dir, kbus.BusNumber(12*i)), nil, 0o600))
		_, err := kbus.Open(t.Context(), 7, kbus.Dir(dir))
		w.fails(err, kbus.ErrNoSuchBus)
		is(w, "the error", err.Error(), "kbus: open "+dir+"/bus7.sock: there is no such bus: "+want)
	}
	is(w, "descriptors", descriptors(w), before)

	bus := kbus.NewBus()
	k, err := bus.Open(t.Context())
	w.must(err)
	n, err := k.Settings().AddBus(t.Context())
	w.must(err)
	second, err := bus.Other(n)
	w.must(err)
	is(w, "the second bus", second.Number(), 1)
	_, err = bus.Other(2)
	w.fails(err, kbus.ErrNoSuchBus)
	l, err := second.Open(t.Context())
	w.must(err)
	is(w, "a Ksock there", l.String(), "Ksock device 1, id 1, mode read/write") // R1.1
	bus.Close()
	_, err = second.Open(t.Context())
	w.fails(err, kbus.ErrBusGone)
	_, err = l.Next(t.Context())
	w.fails(err, kbus.ErrBusGone)
	_, err = k.Reopen(w.Context())
	w.fails(err, kbus.ErrBusGone)
}
