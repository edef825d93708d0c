package kbus_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
)

// moment is a limit for tests. What is asserted is that it ends the wait, and with which error.
const moment = 20 * time.Millisecond

// onBoth runs a test with a daemon of its own, over rings and over the socket alone.
func onBoth(t *testing.T, test func(w *world, d *daemon, opts ...kbus.Option)) {
	for name, rings := range map[string]bool{"rings": true, "socket": false} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, tempDir(t))
			test(&world{t, d.open, d.observe, d.kill}, d, kbus.Rings(rings))
		})
	}
}

// A Bind that is given up because the federation does not decide is taken back when it is decided after all.
func TestBindUndecided(t *testing.T) {
	onAll(t, func(w *world) {
		limpet := w.ksock()
		f, err := limpet.Bridge().Federate(w.Context(), false)
		w.must(err)
		k := w.ksock()
		ctx, done := context.WithTimeout(w.Context(), moment)
		defer done()
		for _, name := range []string{"$.A", "$.B"} {
			if err := k.Bind(ctx, name, kbus.Replier); !errors.Is(err, context.DeadlineExceeded) {
				w.Error(err)
			}
		}
		{
			request, err := f.Next(w.Context())
			w.must(err)
			w.must(f.Decide(w.Context(), request, 0))
		}
		w.must(k.File().Reset(w.Context())) // by its answer, those to the Binds have come
		w.must(k.File().Reset(w.Context())) // and those to what takes them back
		for _, name := range []string{"$.A", "$.B"} {
			id, err := limpet.File().Replier(w.Context(), name)
			w.must(err)
			is(w, name, id, 0)
		}
		w.must(k.Bind(w.Context(), "$.C", kbus.Listener)) // nobody's word is needed for that
	})
}

// Receivers that are given up together, in the moment when messages come, leave what they have not taken in order.
func TestCanceledTogether(t *testing.T) {
	onAll(t, func(w *world) {
		us := w.ksock()
		for range 50 {
			k := w.bound(kbus.Listener, "$.N")
			ctx, cancel := context.WithCancel(w.Context())
			var mu sync.Mutex
			var taken []uint32
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					if m, err := k.Receive(ctx); err == nil {
						mu.Lock()
						defer mu.Unlock()
						taken = append(taken, m.ID.Serial)
					}
				})
			}
			for kbus.Waiters(k) < 3 {
				runtime.Gosched()
			}
			go cancel()
			var sent []uint32
			for range 5 {
				sent = append(sent, w.send(us, kbus.Announcement("$.N", "")).ID.Serial)
			}
			all.Wait()
			var left []uint32
			for len(left)+len(taken) < len(sent) {
				m, err := k.Receive(w.Context())
				w.must(err)
				left = append(left, m.ID.Serial)
			}
			if !slices.IsSorted(left) {
				w.Fatalf("taken %v, left %v", taken, left)
			}
			for _, id := range append(taken, left...) {
				if i := slices.Index(sent, id); i < 0 {
					w.Fatalf("%d came twice", id)
				} else {
					sent = slices.Delete(sent, i, i+1)
				}
			}
			w.must(k.Close())
		}
	})
}

// What is dropped without Close is closed by the garbage collector, and that is said at the level of debugging.
func TestDropped(t *testing.T) {
	old := slog.Default()
	defer slog.SetDefault(old)
	said := &sayings{}
	slog.SetDefault(slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	onAll(t, func(w *world) {
		before := descriptors(w)
		us, err := w.open()
		w.must(err)
		func() {
			k, err := w.open()
			w.must(err)
			w.must(k.Bind(w.Context(), "$.Forgotten", kbus.Replier))
			o, err := w.observe()
			w.must(err)
			_, err = o.Info(w.Context())
			w.must(err)
		}()
		for taken := true; taken; {
			runtime.GC()
			id, err := us.File().Replier(w.Context(), "$.Forgotten")
			w.must(err)
			taken = id != 0
		}
		w.must(us.Close())
		for descriptors(w) > before {
			runtime.GC()
		}
		if !strings.Contains(said.String(), "dropped without Close") {
			w.Errorf("said: %s", said)
		}
	})
}

// A Ksock on which a goroutine waits is in use, also when nothing else refers to it.
func TestWaitingIsUse(t *testing.T) {
	onAll(t, func(w *world) {
		us := w.ksock()
		k, err := w.open()
		w.must(err)
		w.must(k.Bind(w.Context(), "$.W", kbus.Listener))
		w.must(k.Bind(w.Context(), "$.W2", kbus.Replier))
		got := make(chan error)
		waiting := kbus.WaiterOf(k)
		go wait(k, got)
		k = nil
		for waiting() == 0 {
			runtime.GC()
		}
		for range 3 { // whatever could be collected has been
			collected := make(chan bool)
			runtime.AddCleanup(new([64]byte), func(c chan bool) { close(c) }, collected)
			for done := false; !done; {
				runtime.GC()
				select {
				case <-collected:
					done = true
				default:
				}
			}
		}
		id, err := us.File().Replier(w.Context(), "$.W2")
		w.must(err)
		if id == 0 {
			w.Fatal("it was collected")
		}
		w.send(us, kbus.Announcement("$.W", ""))
		w.must(<-got)
	})
}

func wait(k *kbus.Ksock, got chan<- error) {
	_, err := k.Receive(context.Background())
	got <- err
}

type sayings struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *sayings) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sayings) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A place where no socket can be is refused in words that say why.
func TestBadPlaces(t *testing.T) {
	w := &world{TB: t}
	for dir, want := range map[string]string{
		"@x":                               "names of abstract sockets, which begin with @, are not supported",
		"/tmp/" + strings.Repeat("x", 100): "the path of the socket has 115 bytes, and the kernel takes 107",
		"a\x00b":                           "zero byte",
	} {
		_, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", dir, err)
		}
		t.Setenv("KBUS_DIR", "/tmp/"+strings.Repeat("x", 100))
		_, err = kbus.Observe(t.Context(), 0)
		w.fails(err, syscall.ENAMETOOLONG)
	}
}
