package kbus_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// A Pipe makes no garbage.
func TestPipeNoGarbage(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	onAll(t, func(w *world) {
		p := w.ksock().Pipe()
		m := kbus.Announcement("$.A.Name.Longer.Than.Thirty.Two.Bytes", "and some data")
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		const rounds = 1000
		var before, after runtime.MemStats
		for range 2 { // the first time makes what is kept
			runtime.ReadMemStats(&before)
			for range rounds {
				if err := p.Send(ctx, m); err != nil {
					w.Fatal(err)
				}
			}
			if _, err := p.Flush(ctx); err != nil {
				w.Fatal(err)
			}
			runtime.ReadMemStats(&after)
		}
		if n := after.Mallocs - before.Mallocs; n > rounds/10 { // the runtime itself makes a few
			w.Errorf("%d allocations in %d rounds", n, rounds)
		}
	})
}

// A daemon that has stopped answering gets no more than a few hundred messages, and a Send gives up with its context.
// What it was given before arrives when the daemon goes on.
func TestPipeDaemonStopped(t *testing.T) {
	d := startDaemon(t, tempDir(t))
	w := &world{TB: t, open: d.open}
	s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
	l.Queue().SetLimit(t.Context(), 10000)
	p := s.Pipe()
	d.stop(t)
	var sent int
	for ; sent < 256; sent++ {
		w.pipe(p, kbus.Announcement("$.L", strconv.Itoa(sent)))
	}
	ctx, cancel := context.WithCancel(w.Context())
	go cancel()
	w.fails(p.Send(ctx, kbus.Announcement("$.L", "one too many")), context.Canceled)
	ctx, cancel = context.WithCancel(w.Context())
	go cancel()
	totals, err := p.Flush(ctx)
	w.fails(err, context.Canceled)
	is(w, "the totals", totals, kbus.Totals{})
	d.goOn()
	is(w, "reached", w.flush(p).Reached, 256)
	w.numbers(l, sent)
	w.reads(l)

	// Large messages fill the socket long before that.
	d.stop(t)
	large, taken := make([]byte, 100000), []string{}
	for i := 0; i < 200 && len(taken) < 50; i++ {
		ctx, cancel = context.WithCancel(w.Context())
		go cancel()
		data := strconv.Itoa(i)
		if err := p.Send(ctx, kbus.Announcement("$.L", append(large, data...))); err == nil {
			taken = append(taken, data)
		} else {
			w.fails(err, context.Canceled)
		}
	}
	if len(taken) == 50 {
		t.Error("5 MB wait to be sent")
	}
	d.goOn()
	is(w, "reached", w.flush(p).Reached, uint64(256+len(taken)))
	for _, data := range taken {
		m, err := l.Receive(w.Context())
		w.must(err)
		is(w, "the data", string(m.Data[len(large):]), data)
	}
	w.reads(l)
}

// The daemon is killed while Requests stream to it and Replies back. As many answers come as it has accepted Requests,
// and every message is accounted for.
func TestPipeDaemonKilled(t *testing.T) {
	for _, point := range []int{1, 100, 1000, 5000} {
		t.Run("after "+strconv.Itoa(point)+" messages", func(t *testing.T) {
			d := startDaemon(t, tempDir(t))
			w := &world{TB: t, open: d.open}
			r, s := w.bound(kbus.Replier, "$.Q"), w.ksock()
			s.Queue().SetLimit(t.Context(), 10000)
			r.Queue().SetLimit(t.Context(), 10000)
			var all sync.WaitGroup
			all.Go(func() {
				handled := 0
				err := r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
					if handled++; handled == point {
						go d.kill()
					}
					return m.Reply(nil)
				})
				w.fails(err, kbus.ErrBusGone)
			})
			answers, statuses := uint64(0), 0
			all.Go(func() {
				for {
					m, err := s.Receive(w.Context())
					if err != nil {
						w.fails(err, kbus.ErrBusGone)
						return
					}
					answers++
					if kbus.StatusOf(m) != nil {
						statuses++
					}
				}
			})
			p, sent, failures := s.Pipe(), uint64(0), uint64(0)
			count := func(err error) (lost bool) {
				var failed *kbus.PipeError
				switch {
				case errors.As(err, &failed):
					failures++
					if !errors.Is(err, kbus.ErrNoRoomForReply) && !errors.Is(err, kbus.ErrReplierFull) {
						w.fails(err, kbus.ErrBusGone)
					}
				case err != nil:
					w.fails(err, kbus.ErrBusGone)
					return true
				}
				return false
			}
			for ; !count(p.Send(w.Context(), kbus.Request("$.Q", ""))); sent++ {
			}
			all.Wait()
			totals, err := p.Flush(w.Context())
			for ; err != nil; _, err = p.Flush(w.Context()) {
				count(err)
			}
			is(w, "failures told", failures, totals.Failed)
			is(w, "messages with a result", totals.Accepted+totals.Failed, sent)
			is(w, "answers", answers, totals.Accepted)
			w.Logf("%d sent, %d failed, %d answers, %d of them Statuses", sent, failures, answers, statuses)
		})
	}
}

// A Reply may be received before the Pipe has looked at the result of its Request. No Status is due for it then.
func TestPipeEarlyReply(t *testing.T) {
	for _, rings := range []bool{false, true} {
		d := startDaemon(t, tempDir(t))
		w := &world{TB: t, open: func(opts ...kbus.Option) (*kbus.Ksock, error) {
			return d.open(append(opts, kbus.Rings(rings))...)
		}}
		s, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		s.Queue().SetLimit(w.Context(), 1000)
		p, back := s.Pipe(), r.Pipe()
		const count = 64 // which travel by themselves
		for i := range count {
			w.pipe(p, kbus.Request("$.Q", strconv.Itoa(i)))
		}
		for range count {
			m, err := r.Receive(w.Context())
			w.must(err)
			reply, err := m.Reply(m.Data)
			w.must(err)
			w.pipe(back, reply)
		}
		w.flush(back)
		w.numbers(s, count)
		is(w, "accepted", w.flush(p).Accepted, count)
		d.kill()
		_, err := s.Receive(w.Context())
		w.fails(err, kbus.ErrBusGone)
	}
}
