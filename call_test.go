package kbus_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"kbus"
)

// A Call picks its Reply out of the queue and leaves the rest as it was.
func TestCall(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.bound(kbus.Listener, "$.L"), w.bound(kbus.Replier, "$.Q")
		go r.Serve(w.Context(), func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
			w.send(r, kbus.Announcement("$.L", "before the Reply"))
			return kbus.ReplyTo(m, "yes")
		})
		w.send(us, kbus.Announcement("$.L", "before the Call"))
		reply, err := us.Call(w.Context(), kbus.Request("$.Q", "?"))
		w.must(err)
		is(w, "the Reply", reply.String(), "<Reply '$.Q', id=[0:4], to=1, from=2, in_reply_to=[0:2], data='yes'>")
		w.reads(us,
			"<Announcement '$.L', id=[0:1], from=1, data='before the Call'>",
			"<Announcement '$.L', id=[0:3], from=2, data='before the Reply'>")
		_, err = us.Call(w.Context(), kbus.Announcement("$.Q", ""))
		w.fails(err, kbus.ErrNotARequest)
		_, err = us.Call(w.Context(), kbus.Request("$.Nobody", ""))
		w.fails(err, kbus.ErrNoReplier)
	})
}

// Every way in which a Replier can fail to reply (R5.3).
func TestCallGetsStatus(t *testing.T) {
	onAll(t, func(w *world) {
		tests := []struct {
			fail func(r *kbus.Ksock)
			want kbus.StatusName
			text string
		}{
			{func(r *kbus.Ksock) { r.Close() }, kbus.ErrGoneAway,
				": the Replier closed before it read the Request ($.KBUS.Replier.GoneAway)"},
			{func(r *kbus.Ksock) { r.Receive(w.Context()); r.Close() }, kbus.ErrIgnored,
				": the Replier read the Request and closed without replying ($.KBUS.Replier.Ignored)"},
			{func(r *kbus.Ksock) { r.Unbind("$.Q", kbus.Replier) }, kbus.ErrUnbound,
				": the Replier unbound before it read the Request ($.KBUS.Replier.Unbound)"},
		}
		for _, test := range tests {
			us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
			failed := make(chan struct{})
			go func() {
				defer close(failed)
				for { // until the Request is there
					if n, err := r.NumMessages(); n > 0 || err != nil {
						break
					}
				}
				test.fail(r)
			}()
			_, err := us.Call(w.Context(), kbus.Request("$.Q", ""))
			<-failed
			w.fails(err, test.want)
			var status *kbus.StatusError
			if !errors.As(err, &status) {
				w.Fatal(err)
			}
			is(w, "the text", err.Error(), "kbus: Request "+status.Status.InReplyTo.String()+test.text)
			r.Close()
		}
	})
}

// A Call that is given up says which Request it was, and the Reply comes as any other message.
func TestCanceledCall(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		ctx, cancel := context.WithCancel(w.Context())
		givenUp := make(chan struct{})
		var replier sync.WaitGroup
		replier.Go(func() {
			m, err := r.Receive(w.Context())
			cancel()
			<-givenUp
			if err == nil {
				reply := kbus.Header{To: m.From, InReplyTo: m.ID}
				_, err = r.Send(w.Context(), &kbus.Message{Header: reply, Name: "$.Q"})
			}
			if err != nil {
				w.Error(err)
			}
		})
		defer replier.Wait()
		_, err := us.Call(ctx, kbus.Request("$.Q", ""))
		close(givenUp)
		w.fails(err, context.Canceled)
		var e *kbus.Error
		if !errors.As(err, &e) {
			w.Fatal(err)
		}
		m, err := us.Receive(w.Context())
		w.must(err)
		is(w, "the Reply is to", m.InReplyTo, e.ID)
	})
}

// NextReply finds the answers to several Requests in any order.
func TestNextReply(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		go r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return kbus.ReplyTo(m, m.Data)
		})
		var sent []kbus.ID
		for i := range 5 {
			sent = append(sent, w.send(us, kbus.Request("$.Q", strconv.Itoa(i))).ID)
		}
		for i := 4; i >= 0; i-- {
			reply, err := us.NextReply(w.Context(), sent[i])
			w.must(err)
			is(w, "the Reply", string(reply.Data), strconv.Itoa(i))
		}
		last := w.send(us, kbus.Request("$.Q", ""))
		r.Close()
		if _, err := us.NextReply(w.Context(), last.ID); err != nil {
			var status *kbus.StatusError
			if !errors.As(err, &status) {
				w.Error(err)
			}
		}
	})
}

// A handler may call on the very Ksock that it serves, messages that come meanwhile wait, and the order of all that is
// handled is that of the ids.
func TestServeCallsItself(t *testing.T) {
	onAll(t, func(w *world) {
		oracle := w.bound(kbus.Replier, "$.Oracle")
		go oracle.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return kbus.ReplyTo(m, "I say "+string(m.Data))
		})
		front := w.bound(kbus.Replier, "$.Front")
		w.must(front.Bind("$.Noise", kbus.Listener))
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
			return kbus.ReplyTo(m, answer.Data)
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
		_, err := l.SetMaxMessages(1)
		w.must(err)
		go r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			reply, err := kbus.ReplyTo(m, m.Data)
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
		w.must(r.Bind("$.Q", kbus.Replier))
		ask := func(n int) {
			for i := range n {
				w.send(us, kbus.Request("$.Q", strconv.Itoa(i)))
			}
		}
		ask(10)
		enough := errors.New("enough")
		err := r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			if string(m.Data) == "9" {
				return nil, enough
			}
			return kbus.ReplyTo(m, m.Data)
		})
		w.fails(err, enough)
		for i := range 9 {
			reply, err := us.Receive(w.Context())
			w.must(err)
			is(w, "the Reply", string(reply.Data), strconv.Itoa(i))
		}
		ask(3)
		err = r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return kbus.ReplyTo(m, make([]byte, 1<<20))
		})
		w.fails(err, kbus.ErrMessageTooLong)
		m, err := r.Next()
		w.must(err)
		is(w, "what comes next", string(m.Data), "1")
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
		err := r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			seen++
			if string(m.Data) == "the last" {
				return nil, stop
			}
			return kbus.ReplyTo(m, "")
		})
		w.fails(err, stop)
		is(w, "messages handled", seen, 4)

		// A Reply that cannot be sent for a reason of its own ends Serve, at once; a message that came meanwhile stays.
		wrong := func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return kbus.Announcement("not a name", ""), nil
		}
		w.send(last, kbus.Request("$.Q", "alone"))
		w.fails(r.Serve(w.Context(), wrong), kbus.ErrBadName)
		w.reads(r)
		tooMuch := func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return kbus.ReplyTo(m, make([]byte, 1<<20))
		}
		w.send(last, kbus.Request("$.Q", ""))
		w.fails(r.Serve(w.Context(), tooMuch), kbus.ErrMessageTooLong)
		w.send(last, kbus.Request("$.Q", "first"))
		w.send(last, kbus.Request("$.Q", "second"))
		w.fails(r.Serve(w.Context(), wrong), kbus.ErrBadName)
		m, err := r.Next()
		w.must(err)
		is(w, "what comes next", string(m.Data), "second")

		// When the context ends during the last handler, its Reply is sent all the same.
		w.send(last, kbus.Request("$.Q", "third"))
		ctx, cancel := context.WithCancel(w.Context())
		err = r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			cancel()
			return kbus.ReplyTo(m, "answered")
		})
		w.fails(err, context.Canceled)
		reply, err := last.Next()
		w.must(err)
		is(w, "the Reply", string(reply.Data), "answered")
		if reply.InReplyTo == sent.ID {
			w.Error("the wrong Request has been answered")
		}
	})
}
