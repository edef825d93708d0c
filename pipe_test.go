package kbus_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// flush flushes a Pipe, which must be without a failure.
func (w *world) flush(p *kbus.Pipe) kbus.Totals {
	w.Helper()
	t, err := p.Flush(w.Context())
	w.must(err)
	return t
}

// pipe sends through a Pipe, and must not hear of a failure.
func (w *world) pipe(p *kbus.Pipe, m *kbus.Message) {
	w.Helper()
	w.must(p.Send(w.Context(), m))
}

// numbers checks that a Listener hears the numbers from 0 to n-1, each once and in order.
func (w *world) numbers(l *kbus.Ksock, n int) {
	var m kbus.Message
	for i := range n {
		if err := l.ReceiveInto(w.Context(), &m); err != nil {
			w.Errorf("instead of number %d: %v", i, err)
			return
		}
		if string(m.Data) != strconv.Itoa(i) {
			w.Errorf("%s instead of %d", m.Data, i)
			return
		}
	}
}

// Of any number and size, and with other sends in between, all messages come, in the order of sending.
func TestPipe(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		l.Queue().SetLimit(w.Context(), 100000)
		p := s.Pipe()
		is(w, "the totals of nothing", w.flush(p), kbus.Totals{})
		want := kbus.Totals{}
		for _, size := range []int{0, 1, 1000, 5000, 65536, 300000} {
			count := 3000 / (1 + size/200)
			for i := range count {
				m := kbus.Announcement("$.L", strconv.Itoa(i))
				m.Data = append(m.Data, make([]byte, size)...)
				if i%100 == 50 {
					w.send(s, m)
				} else {
					w.pipe(p, m)
					want.Accepted++
					want.Reached++
				}
				clear(m.Data) // it is ours again
			}
			if size%2 == 0 {
				is(w, "the totals", w.flush(p), want)
			} else {
				w.flush(p)
			}
			for i := range count {
				m, err := l.Receive(w.Context())
				w.must(err)
				if got := strings.TrimRight(string(m.Data), "\x00"); got != strconv.Itoa(i) {
					w.Fatalf("%s instead of %d of %d bytes", got, i, size)
				}
			}
		}
		l.Queue().SetLimit(w.Context(), 1)
		w.pipe(p, kbus.Announcement("$.L", ""))
		w.pipe(p, kbus.Announcement("$.L", ""))
		w.pipe(p, kbus.Announcement("$.Nobody", ""))
		want.Accepted, want.Reached, want.Skipped = want.Accepted+3, want.Reached+1, want.Skipped+1
		is(w, "the totals with one skipped", w.flush(p), want)
	})
}

// Each failure is told once, in order, with its place in the Pipe; messages behind it are sent all the same.
func TestPipeFailures(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		l.Queue().SetLimit(w.Context(), 1000)
		p := s.Pipe()
		longest := strings.Repeat("a", 1<<20)
		messages := []struct {
			m    *kbus.Message
			want error
		}{
			{kbus.Announcement("$.L", "0"), nil},
			{kbus.Announcement("$.*", ""), kbus.ErrBadName},
			{kbus.Announcement("$.L", longest), kbus.ErrMessageTooLong},
			{kbus.Announcement("$.L", "1"), nil},
			{kbus.Request("$.Nobody", ""), kbus.ErrNoReplier},
			{kbus.Announcement("$."+longest, ""), kbus.ErrNameTooLong},
			{kbus.Announcement("$.L", "2"), nil},
		}
		const rounds = 100
		var refusals []kbus.PipeError
		note := func(err error) (more bool) {
			var failed *kbus.PipeError
			if errors.As(err, &failed) {
				refusals = append(refusals, *failed)
			} else {
				w.must(err)
			}
			return err != nil
		}
		for range rounds {
			for _, m := range messages {
				note(p.Send(w.Context(), m.m))
			}
		}
		for more := true; more; {
			_, err := p.Flush(w.Context())
			more = note(err)
		}
		totals := w.flush(p)
		is(w, "failed", totals, kbus.Totals{Accepted: 3 * rounds, Failed: 4 * rounds, Reached: 3 * rounds})
		is(w, "told", len(refusals), 4*rounds)
		i := uint64(0)
		for range rounds {
			for _, m := range messages {
				if m.want != nil && len(refusals) > 0 {
					w.fails(&refusals[0], m.want)
					is(w, "the index", refusals[0].Index, i)
					is(w, "the name", refusals[0].Name, m.m.Name)
					refusals = refusals[1:]
				}
				i++
			}
		}
		for range rounds {
			w.numbers(l, 3)
		}
		w.reads(l)

		w.pipe(p, kbus.Request("$.Nobody", ""))
		_, err := p.Flush(w.Context())
		is(w, "the error", err.Error(),
			"kbus: send $.Nobody, message 700 of the Pipe: nobody is bound as Replier for that name")

		r := w.ksock(kbus.ReadOnly()).Pipe()
		w.pipe(r, kbus.Announcement("$.L", ""))
		_, err = r.Flush(w.Context())
		w.fails(err, kbus.ErrWrongMode)
	})
}

// Messages that wait for room are not overtaken by those behind them, and none is lost, though the Listener's queue is
// full most of the time. The same Ksock sends others that wait, outside of the Pipe.
func TestPipeAllOrWait(t *testing.T) {
	onAll(t, func(w *world) {
		s, l, other := w.ksock(), w.bound(kbus.Listener, "$.L"), w.bound(kbus.Listener, "$.Other")
		l.Queue().SetLimit(w.Context(), 3)
		other.Queue().SetLimit(w.Context(), 1)
		const count, others = 3000, 500
		patient := func(name, data string) *kbus.Message {
			m := kbus.Announcement(name, data)
			m.Flags |= kbus.AllOrWait
			return m
		}
		var all sync.WaitGroup
		all.Go(func() { w.numbers(l, count) })
		all.Go(func() { w.numbers(other, others) })
		all.Go(func() {
			for i := range others {
				for {
					_, err := s.Send(w.Context(), patient("$.Other", strconv.Itoa(i)))
					if err == nil {
						break
					}
					if !errors.Is(err, kbus.ErrStillSending) || s.WaitSent(w.Context()) != nil {
						w.Error(err)
						return
					}
				}
			}
		})
		p := s.Pipe()
		for i := range count {
			w.pipe(p, patient("$.L", strconv.Itoa(i)))
			if i%7 == 0 {
				w.pipe(p, kbus.Announcement("$.Nobody", ""))
			}
		}
		is(w, "accepted", w.flush(p).Accepted, count+(count+6)/7)
		all.Wait()
		w.reads(l)
	})
}

// A Pipe that may not send until there is room can be told to give up, and nothing of what it was given is lost.
func TestPipeGivesUp(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		l.Queue().SetLimit(w.Context(), 1)
		p := s.Pipe()
		m := kbus.Announcement("$.L", "0")
		m.Flags |= kbus.AllOrWait
		w.pipe(p, m)
		m.Data = []byte("1")
		w.pipe(p, m)
		is(w, "accepted", w.flush(p).Accepted, 2)
		m.Data = []byte("2")
		ctx, cancel := context.WithCancel(w.Context())
		go cancel()
		w.fails(p.Send(ctx, m), context.Canceled)
		w.fails(p.Send(ctx, m), context.Canceled)
		all := sync.WaitGroup{}
		all.Go(func() {
			if err := p.Send(w.Context(), m); err != nil {
				w.Error(err)
			}
			if totals, err := p.Flush(w.Context()); err != nil || totals.Accepted != 3 {
				w.Error(totals, err)
			}
		})
		w.numbers(l, 3)
		all.Wait()

		// What was discarded no longer holds the Pipe up.
		w.pipe(p, m)
		w.pipe(p, m)
		w.must(s.Discard(w.Context()))
		w.pipe(p, kbus.Announcement("$.L", "")) // passes l over
		is(w, "skipped", w.flush(p).Skipped, 1)
	})
}

// Requests go through a Pipe like anything else; each gets one answer, and if the bus is lost, one from the library.
func TestPipeRequests(t *testing.T) {
	onAll(t, func(w *world) {
		s, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		const count, answered = 1000, 600
		s.Queue().SetLimit(w.Context(), count)
		r.Queue().SetLimit(w.Context(), count)
		p := s.Pipe()
		for i := range count {
			w.pipe(p, kbus.Request("$.Q", strconv.Itoa(i)))
		}
		is(w, "accepted", w.flush(p).Accepted, count)
		back := r.Pipe()
		var left []kbus.ID
		for i := range count {
			m, err := r.Receive(w.Context())
			w.must(err)
			if i >= answered {
				left = append(left, m.ID)
				continue
			}
			reply, err := m.Reply(m.Data)
			w.must(err)
			w.pipe(back, reply)
		}
		w.flush(back)
		w.numbers(s, answered)
		w.end()
		for _, id := range left {
			m, err := s.Receive(w.Context())
			w.must(err)
			w.fails(kbus.StatusOf(m), kbus.ErrBusGoneAway)
			is(w, "the Status is for", m.InReplyTo, id)
		}
		_, err := s.Next(w.Context())
		w.fails(err, kbus.ErrBusGone)
		w.fails(p.Send(w.Context(), kbus.Request("$.Q", "")), kbus.ErrBusGone)
		w.flush(p) // which has no message without a result
	})
}

// A Pipe with results to come when the Ksock is closed has an error for each message.
func TestPipeClosed(t *testing.T) {
	onAll(t, func(w *world) {
		s := w.ksock()
		p := s.Pipe()
		w.pipe(p, kbus.Announcement("$.A", ""))
		w.pipe(p, kbus.Announcement("$.B", ""))
		w.must(s.Close())
		w.fails(p.Send(w.Context(), kbus.Announcement("$.C", "")), kbus.ErrClosed)
		for _, name := range []string{"$.A", "$.B"} {
			totals, err := p.Flush(w.Context())
			w.fails(err, kbus.ErrClosed)
			var failed *kbus.PipeError
			if !errors.As(err, &failed) || failed.Name != name {
				w.Errorf("%v is not about %s", err, name)
			}
			is(w, "the totals", totals, kbus.Totals{Failed: 2})
		}
		w.flush(p)
	})
}

// Several Pipes of one Ksock, while it is used for everything else.
func TestPipesAtOnce(t *testing.T) {
	onAll(t, func(w *world) {
		s, echo := w.ksock(), w.bound(kbus.Replier, "$.Echo")
		go echo.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply(m.Data)
		})
		w.must(s.Bind(w.Context(), "$.Self", kbus.Listener))
		s.Queue().SetLimit(w.Context(), 10000)
		const count = 2000
		var all sync.WaitGroup
		for i := range 3 {
			name := "$.L" + strconv.Itoa(i)
			l := w.bound(kbus.Listener, name)
			l.Queue().SetLimit(w.Context(), count)
			all.Go(func() { w.numbers(l, count) })
			all.Go(func() {
				p := s.Pipe()
				for i := range count {
					if err := p.Send(w.Context(), kbus.Announcement(name, strconv.Itoa(i))); err != nil {
						w.Error(err)
					}
				}
				if totals, err := p.Flush(w.Context()); err != nil || totals.Reached != count {
					w.Error(totals, err)
				}
			})
		}
		all.Go(func() { w.numbers(s, 100) })
		all.Go(func() {
			for i := range 100 {
				w.send(s, kbus.Announcement("$.Self", strconv.Itoa(i)))
				_, err := s.Call(w.Context(), kbus.Request("$.Echo", "hello"))
				if err != nil {
					w.Error(err)
				}
			}
		})
		all.Wait()
	})
}
