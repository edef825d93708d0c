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

// Serve, and what a handler does meanwhile with the Ksock that it serves.

// A handler may call on the very Ksock that it serves, messages that come meanwhile wait, and the order of all that is
// handled is that of the ids.
func TestServeCallsItself(t *testing.T) {
	onAll(t, func(w *world) {
		oracle := w.bound(kbus.Replier, "$.Oracle")
		go oracle.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply([]byte("I say " + string(m.Data)))
		})
		front := w.bound(kbus.Replier, "$.Front")
		w.must(front.Bind(w.Context(), "$.Noise", kbus.Listener))
		var handled []uint32
		go front.Serve(w.Context(), func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
			handled = append(handled, m.ID.Serial)
			if !m.WantsUsToReply() {
				return nil, nil
			}
			answer, err := front.Call(ctx, kbus.Request("$.Oracle", m.Data))
			if err != nil {
				return nil, err
			}
			return m.Reply(answer.Data)
		})
		var clients sync.WaitGroup
		for range 4 {
			k := w.ksock()
			clients.Go(func() {
				for i := range 25 {
					w.send(k, kbus.Announcement("$.Noise", ""))
					reply, err := k.Call(w.Context(), kbus.Request("$.Front", strconv.Itoa(i)))
					if err != nil {
						w.Error(err)
						return
					}
					is(w, "the Reply", string(reply.Data), "I say "+strconv.Itoa(i))
				}
			})
		}
		clients.Wait()
		front.Close()
		for i := 1; i < len(handled); i++ {
			if handled[i-1] >= handled[i] {
				w.Fatalf("message %d handled before %d", handled[i-1], handled[i])
			}
		}
	})
}

// A Reply may insist that its Listeners have room (Q6); Serve waits with the next one until it has been sent.
func TestServeWaitsForRoom(t *testing.T) {
	onAll(t, func(w *world) {
		r, l, us := w.bound(kbus.Replier, "$.Q"), w.bound(kbus.Listener, "$.Q"), w.ksock()
		_, err := l.Queue().SetLimit(w.Context(), 1)
		w.must(err)
		go r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			reply, err := m.Reply(m.Data)
			if err == nil {
				reply.Flags |= kbus.AllOrWait
			}
			return reply, err
		})
		w.send(us, kbus.Request("$.Q", "one")) // it fills l's queue
		w.send(us, kbus.Request("$.Q", "two")) // l misses it
		for _, data := range []string{"one", "one", "two"} {
			m, err := l.Receive(w.Context())
			w.must(err)
			is(w, "what the Listener hears", string(m.Data), data)
		}
		for _, data := range []string{"one", "two"} {
			m, err := us.Receive(w.Context())
			w.must(err)
			is(w, "the Reply", string(m.Data), data)
		}
	})
}

// With messages read ahead, Serve sends and receives in turn.
func TestServeReadAhead(t *testing.T) {
	onAll(t, func(w *world) {
		r, us := w.ksock(kbus.ReadAhead(4)), w.ksock()
		w.must(r.Bind(w.Context(), "$.Q", kbus.Replier))
		ask := func(n int) {
			for i := range n {
				w.send(us, kbus.Request("$.Q", strconv.Itoa(i)))
			}
		}
		ask(10)
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		err := r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			if string(m.Data) == "9" {
				cancel()
				return nil, kbus.ReplyLater
			}
			return m.Reply(m.Data)
		})
		w.fails(err, context.Canceled)
		for i := range 9 {
			reply, err := us.Receive(w.Context())
			w.must(err)
			is(w, "the Reply", string(reply.Data), strconv.Itoa(i))
		}
		ask(3)
		ctx, cancel = context.WithCancel(w.Context())
		defer cancel()
		err = r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			if string(m.Data) == "2" {
				cancel()
			}
			return m.Reply(make([]byte, 1<<20))
		})
		w.fails(err, context.Canceled)
		for range 3 {
			m, err := us.Receive(w.Context())
			w.must(err)
			err = kbus.StatusOf(m)
			w.fails(err, kbus.ErrFailed)
			for _, part := range []string{"1048", "409600", "limits.message-bytes"} { // its size, the limit, the setting
				if !strings.Contains(err.Error(), part) {
					w.Errorf("the refusal says %q, and not %s", err, part)
				}
			}
		}
		w.reads(us)
	})
}

// What ends Serve, and what does not.
func TestServeEnds(t *testing.T) {
	onAll(t, func(w *world) {
		r := w.bound(kbus.Replier, "$.Q")
		asker := w.ksock()
		stop := errors.New("the handler has had enough")
		seen := 0
		for range 3 {
			w.send(asker, kbus.Request("$.Q", ""))
		}
		asker.Close() // so nobody wants the Replies (R6.8)
		last := w.ksock()
		sent := w.send(last, kbus.Request("$.Q", "the last"))
		ctx, cancel := context.WithCancel(w.Context())
		defer cancel()
		err := r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			seen++
			if string(m.Data) == "the last" {
				cancel()
				return nil, stop
			}
			return m.Reply(nil)
		})
		w.fails(err, context.Canceled)
		is(w, "messages handled", seen, 4)
		status, err := last.Next(w.Context())
		w.must(err)
		w.fails(kbus.StatusOf(status), kbus.ErrFailed)
		is(w, "it says why", string(status.Data), stop.Error())

		// A message that is no Reply and cannot be sent does not end Serve; who asked is told, and so is OnError.
		for how, opts := range map[string][]kbus.ServeOption{"in turn": nil, "several": {kbus.Concurrency(2)}} {
			var unheard []string
			for _, data := range []string{"first", "second"} {
				w.send(last, kbus.Request("$.Q", data))
			}
			w.must(r.Bind(w.Context(), "$.News", kbus.Listener))
			w.send(last, kbus.Announcement("$.News", "third"))
			ctx, cancel := context.WithCancel(w.Context())
			w.fails(r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
				if string(m.Data) == "third" {
					return kbus.Request("$.Nobody", ""), nil
				}
				return kbus.Announcement("not a name", ""), nil
			}, append(opts, kbus.OnError(func(m *kbus.Message, err error) {
				unheard = append(unheard, string(m.Data))
				if len(unheard) == 3 {
					cancel()
				}
			}))...), context.Canceled)
			w.must(r.Unbind(w.Context(), "$.News", kbus.Listener))
			is(w, how+": on error", strings.Join(unheard, " "), "first second third")
			for range 2 {
				status, err := last.Next(w.Context())
				w.must(err)
				w.fails(kbus.StatusOf(status), kbus.ErrFailed)
				is(w, how+": it says why", strings.Contains(string(status.Data), "name"), true)
			}
		}

		// When the context ends during the last handler, its Reply is sent all the same.
		w.send(last, kbus.Request("$.Q", "third"))
		ctx, cancel = context.WithCancel(w.Context())
		err = r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			cancel()
			return m.Reply([]byte("answered"))
		})
		w.fails(err, context.Canceled)
		reply, err := last.Next(w.Context())
		w.must(err)
		is(w, "the Reply", string(reply.Data), "answered")
		if reply.InReplyTo == sent.ID {
			w.Error("the wrong Request has been answered")
		}
	})
}
