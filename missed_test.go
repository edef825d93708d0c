package kbus_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"kbus.example/kbus"
)

// A Listener that is too slow is told how many messages it has missed, and where, in every way of receiving. What a
// sender puts where the bus has its mark reaches nobody who understands it.
func TestMissed(t *testing.T) {
	for what, data := range map[string]int{"small": 4, "in the log": 50_000} {
		t.Run(what, func(t *testing.T) {
			onAll(t, func(w *world) {
				for how, receive := range map[string]func(k *kbus.Ksock) (*kbus.Message, error){
					"Receive": func(k *kbus.Ksock) (*kbus.Message, error) { return k.Receive(w.Context()) },
					"Next":    func(k *kbus.Ksock) (*kbus.Message, error) { return k.Next(w.Context()) },
					"ReceiveInto": func(k *kbus.Ksock) (*kbus.Message, error) {
						m := &kbus.Message{Missed: 77}
						return m, k.ReceiveInto(w.Context(), m)
					},
					"InPlace": func(k *kbus.Ksock) (got *kbus.Message, err error) {
						err = k.InPlace(w.Context(), func(m *kbus.Message) error { c := *m; got = &c; return nil })
						return got, err
					},
				} {
					for _, ahead := range []uint32{1, 4} {
						l, s := w.ksock(kbus.ReadAhead(ahead)), w.ksock()
						_, err := l.Queue().SetLimit(w.Context(), 3)
						w.must(err)
						w.must(l.Bind(w.Context(), "$.A", kbus.Listener))
						send := func(n int) {
							for range n {
								m := kbus.Announcement("$.A", make([]byte, data))
								m.Flags |= 0x10
								w.send(s, m)
							}
						}
						send(5)
						var got []uint32
						take := func(n int) {
							for range n {
								m, err := receive(l)
								w.must(err)
								is(w, "length of the data", len(m.Data), data)
								is(w, "flags", m.Flags, 0)
								got = append(got, m.Missed)
							}
						}
						take(3)
						send(2)
						take(2)
						if text := fmt.Sprint(got); text != "[0 0 0 2 0]" {
							w.Errorf("%s, %d ahead: missed %s", how, ahead, text)
						}
						total, err := l.Queue().Missed(w.Context())
						w.must(err)
						is(w, "missed in all", total, 2)
						list, err := s.Observer().List(w.Context())
						w.must(err)
						is(w, "missed, as listed", list[1].Missed, 2)
						w.must(l.Close())
						w.must(s.Close())
					}
				}
			})
		})
	}
}

// An original Ksock has flags as they were sent, and is told of missed messages when it asks.
func TestMissedByAnOriginal(t *testing.T) {
	onAll(t, func(w *world) {
		l, s := w.ksock(kbus.Original()), w.ksock()
		_, err := l.Queue().SetLimit(w.Context(), 1)
		w.must(err)
		w.must(l.Bind(w.Context(), "$.A", kbus.Listener))
		for i := range 3 {
			m := kbus.Announcement("$.A", strconv.Itoa(i))
			m.Flags |= 0x10
			w.send(s, m)
		}
		m, err := l.Receive(w.Context())
		w.must(err)
		is(w, "flags", m.Flags, 0x10)
		is(w, "data", string(m.Data), "0")
		total, err := l.Queue().Missed(w.Context())
		w.must(err)
		is(w, "missed", total, 2)
		err = l.Bind(w.Context(), "$.my_app.Set", kbus.Listener)
		w.fails(err, kbus.ErrBadName)
		w.must(s.Bind(w.Context(), "$.my_app.do-it", kbus.Replier))
		_, err = l.Send(w.Context(), kbus.Request("$.my_app.do-it", ""))
		w.fails(err, kbus.ErrBadName)
	})
}

// A program that only calls, with limits of time, and reads nothing else, can go on calling however many of its answers
// come late.
func TestLateAnswers(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		_, err := us.Queue().SetLimit(w.Context(), 3)
		w.must(err)
		_, err = r.Queue().SetLimit(w.Context(), 1000)
		w.must(err)
		for range 20 {
			ctx, cancel := context.WithCancel(w.Context())
			got := make(chan *kbus.Message)
			go func() {
				m, err := r.Receive(w.Context())
				if err != nil {
					w.Error(err)
				}
				cancel()
				got <- m
			}()
			if _, err := us.Call(ctx, kbus.Request("$.Q", "")); err == nil {
				w.Fatal("an answer that nobody has made")
			}
			late, err := (<-got).Reply([]byte("late"))
			w.must(err)
			w.send(r, late)
		}
		go r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply([]byte("in time")) })
		for range 20 {
			reply, err := us.Call(w.Context(), kbus.Request("$.Q", ""))
			w.must(err)
			is(w, "the Reply", string(reply.Data), "in time")
		}
		n, err := us.Queue().Len(w.Context())
		w.must(err)
		is(w, "messages left", n, 0)
	})
}
