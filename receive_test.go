package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"kbus.example/kbus"
)

func TestMessages(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		var sender sync.WaitGroup
		defer sender.Wait()
		sender.Go(func() {
			for i := range 50 {
				w.send(s, kbus.Announcement("$.L", strconv.Itoa(i)))
			}
		})
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		want := 0
		var last error
		for m, err := range l.Messages(ctx) {
			if err != nil {
				last = err
				continue
			}
			is(w, "a message", string(m.Data), strconv.Itoa(want))
			if want++; want == 50 {
				cancel()
			}
		}
		w.fails(last, context.Canceled)
		w.fails(last, kbus.ErrCanceled)
		is(w, "messages", want, 50)
	})
}

// A Receive that is given up must not lose the message that comes at that moment.
func TestCanceledReceiveLosesNothing(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		givenUp := 0
		for i := range 500 {
			ctx, cancel := context.WithCancel(w.Context())
			var both sync.WaitGroup
			both.Go(func() { w.send(s, kbus.Announcement("$.L", strconv.Itoa(i))) })
			both.Go(cancel)
			m, err := l.Receive(ctx)
			if errors.Is(err, context.Canceled) {
				givenUp++
				m, err = l.Receive(w.Context())
			}
			w.must(err)
			is(w, "a message", string(m.Data), strconv.Itoa(i))
			both.Wait()
		}
		w.reads(l)
		w.Logf("%d given up", givenUp)
	})
}

// Several goroutines receive from one Ksock, and are canceled now and then: each message goes to one of them.
func TestManyReceivers(t *testing.T) {
	onAll(t, func(w *world) {
		const total = 300
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		l.Queue().SetLimit(w.Context(), total)
		var mu sync.Mutex
		seen := map[string]int{}
		var all sync.WaitGroup
		stop, enough := context.WithCancel(w.Context())
		defer enough()
		for range 4 {
			all.Go(func() {
				for {
					m, err := l.Receive(stop)
					if err != nil {
						w.fails(err, context.Canceled)
						return
					}
					mu.Lock()
					if seen[string(m.Data)]++; len(seen) == total {
						enough()
					}
					mu.Unlock()
				}
			})
			all.Go(func() { // gives up all the time
				for stop.Err() == nil {
					ctx, cancel := context.WithCancel(stop)
					go cancel()
					m, err := l.Receive(ctx)
					if err == nil {
						mu.Lock()
						if seen[string(m.Data)]++; len(seen) == total {
							enough()
						}
						mu.Unlock()
					}
				}
			})
		}
		for i := range total {
			w.send(s, kbus.Announcement("$.L", strconv.Itoa(i)))
		}
		all.Wait()
		for data, times := range seen {
			if times != 1 {
				w.Errorf("message %s came %d times", data, times)
			}
		}
		w.reads(l)
	})
}

// A context that has ended already is not waited for, and takes nothing.
func TestEndedContext(t *testing.T) {
	onAll(t, func(w *world) {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		k := w.bound(kbus.Listener, "$.L")
		_, err := k.Send(ended, kbus.Announcement("$.L", ""))
		w.fails(err, context.Canceled)
		_, err = k.Call(ended, kbus.Request("$.L", ""))
		w.fails(err, context.Canceled)
		w.reads(k)
		w.send(k, kbus.Announcement("$.L", "stays"))
		_, err = k.Receive(ended)
		w.fails(err, context.Canceled)
		w.reads(k, "<Announcement '$.L', id=[0:1], from=1, data='stays'>")
	})
}

func TestReadAhead(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.ksock(kbus.ReadAhead(10))
		w.must(l.Bind(w.Context(), "$.L", kbus.Listener))
		for i := range 25 {
			w.send(s, kbus.Announcement("$.L", strconv.Itoa(i)))
		}
		for i := range 25 {
			n, err := l.Queue().Len(w.Context())
			w.must(err)
			is(w, "messages to read", n, uint32(25-i))
			var m kbus.Message
			switch i % 3 {
			case 0:
				w.must(l.ReceiveInto(w.Context(), &m))
			case 1:
				got, err := l.Next(w.Context())
				w.must(err)
				m = *got
			case 2:
				got, err := l.Receive(w.Context())
				w.must(err)
				m = *got
			}
			is(w, "a message", string(m.Data), strconv.Itoa(i))
		}
		w.reads(l)
	})
}

// What has been read ahead is found by whoever looks for an answer, keeps its order, and outlives the bus.
func TestReadAheadIsKept(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(kbus.ReadAhead(10)), w.bound(kbus.Replier, "$.Q")
		w.must(us.Bind(w.Context(), "$.L", kbus.Listener))
		first := w.send(us, kbus.Request("$.Q", "")).ID
		w.send(us, kbus.Request("$.Q", ""))
		for i := range 2 {
			w.send(r, kbus.Announcement("$.L", strconv.Itoa(i)))
		}
		q, err := r.Receive(w.Context())
		w.must(err)
		reply, err := q.Reply([]byte("yes"))
		w.must(err)
		w.send(r, reply)
		w.send(r, kbus.Announcement("$.L", "2"))
		receive := func(want string) {
			w.Helper()
			m, err := us.Receive(w.Context())
			w.must(err)
			is(w, "a message", string(m.Data), want)
		}
		receive("0") // and the rest has been read, too
		m, err := us.NextReply(w.Context(), first)
		w.must(err)
		is(w, "the Reply", string(m.Data), "yes")
		receive("1")
		for i := range 3 {
			w.send(r, kbus.Announcement("$.L", strconv.Itoa(3+i)))
		}
		receive("2")
		receive("3")
		w.end()
		for err == nil {
			_, err = us.Queue().Len(w.Context())
		}
		receive("4")
		receive("5")
		m, err = us.Next(w.Context())
		w.must(err)
		is(w, "what came of the other Request", m.Name, "$.KBUS.Bus.GoneAway")
		_, err = us.Next(w.Context())
		w.fails(err, kbus.ErrBusGone)
	})
}

// A round of sending and receiving in a program that goes on for ever makes no garbage.
func TestNoGarbage(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	onAll(t, func(w *world) {
		k := w.bound(kbus.Listener, "$.A.Name.Longer.Than.Thirty.Two.Bytes")
		m := kbus.Announcement("$.A.Name.Longer.Than.Thirty.Two.Bytes", "and some data")
		var got kbus.Message
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		round := func() {
			if _, err := k.Send(ctx, m); err != nil {
				w.Fatal(err)
			}
			if err := k.ReceiveInto(ctx, &got); err != nil {
				w.Fatal(err)
			}
		}
		round()
		// Not testing.AllocsPerRun, which leaves one processor to us and the daemon's loop together.
		const rounds = 500
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			round()
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > rounds/10 { // the runtime itself makes a few
			w.Errorf("%d allocations in %d rounds", n, rounds)
		}
		is(w, "the data", string(got.Data), "and some data")
	})
}

func TestSettings(t *testing.T) {
	onAll(t, func(w *world) {
		k, other := w.ksock(), w.ksock()
		numbers := []struct {
			name string
			ask  func(context.Context) (uint32, error)
			want uint32
		}{
			{"max messages (R1.8)", k.Queue().Limit, 100},
			{"set max messages (R3.73)", func(context.Context) (uint32, error) { return k.Queue().SetLimit(w.Context(), 7) }, 7},
			{"max messages", k.Queue().Limit, 7},
			{"max messages of another", other.Queue().Limit, 100},
			{"max message size (Q9)", k.Settings().MaxMessageBytes, 409600},
			{"absolute maximum (R3.86)", k.Settings().AbsMaxMessageBytes, 409600},
			{"set max message size", func(context.Context) (uint32, error) { return k.Settings().SetMaxMessageBytes(w.Context(), 1000) }, 1000},
			{"max message size of the bus", other.Settings().MaxMessageBytes, 1000},
			{"messages", k.Queue().Len, 0},
			{"unreplied", k.Queue().Unreplied, 0},
			{"new bus (R3.81)", func(ctx context.Context) (uint32, error) { n, err := k.Settings().AddBus(ctx); return uint32(n), err }, 1},
			{"Replier of nothing (R3.31)", func(context.Context) (uint32, error) {
				n, err := k.File().Replier(w.Context(), "$.A")
				return uint32(n), err
			}, 0},
		}
		for _, n := range numbers {
			got, err := n.ask(w.Context())
			if err != nil || got != n.want {
				w.Errorf("%s: %d, %v, not %d", n.name, got, err, n.want)
			}
		}
		switches := []struct {
			name string
			ask  func(context.Context) (bool, error)
			set  func(context.Context, bool) (bool, error)
		}{
			{"only once (R3.77)", k.Queue().OnlyOnce, k.Queue().SetOnlyOnce},
			{"verbose (R3.78)", k.File().Verbose, k.File().SetVerbose},
			{"report Replier binds (R3.83)", k.Settings().ReportReplierBinds, k.Settings().SetReportReplierBinds},
		}
		for _, s := range switches {
			for _, on := range []bool{true, true, false} {
				before, err := s.ask(w.Context())
				w.must(err)
				was, err := s.set(w.Context(), on)
				w.must(err)
				after, err := s.ask(w.Context())
				w.must(err)
				if was != before || after != on {
					w.Errorf("%s: was %v (%v), set to %v, is %v", s.name, before, was, on, after)
				}
			}
		}
		w.must(k.File().Reset(w.Context()))
		_, err := k.Settings().SetMaxMessageBytes(w.Context(), 99)
		w.fails(err, kbus.ErrBadSize)
		_, err = k.File().Replier(w.Context(), "")
		w.fails(err, kbus.ErrNameTooLong) // R3.33
		w.fails(k.Bind(w.Context(), "$.", kbus.Listener), kbus.ErrBadName)
		w.fails(k.Unbind(w.Context(), "$.A", kbus.Listener), kbus.ErrNotBound)
		w.must(k.Bind(w.Context(), "$.A.*", kbus.Replier))
		w.fails(other.Bind(w.Context(), "$.A.*", kbus.Replier), kbus.ErrReplierBound)
		id, err := other.File().Replier(w.Context(), "$.A.*")
		is(w, "Replier", fmt.Sprint(id, err), "1 <nil>")
	})
}

// Replier bind events, as an example of what the bus itself announces (R6.13, R13.18).
func TestBindEvents(t *testing.T) {
	onAll(t, func(w *world) {
		w.bound(kbus.Replier, "$.A")
		k := w.ksock()
		_, err := k.Settings().SetReportReplierBinds(w.Context(), true)
		w.must(err)
		m := w.reads(k, "<ReplierBindEvent id=[0:1], flags=0x204 (SYN,aFL), [Bind '$.A' for 1]>")
		event, ok := kbus.ParseBindEvent(m.Data)
		if !ok || event != (kbus.BindEvent{Bind: true, Binder: 1, Name: "$.A"}) || m.Name != kbus.NameReplierBindEvent {
			w.Errorf("event %v, %v", event, ok)
		}
	})
}
