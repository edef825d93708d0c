package kbus_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// A Call picks its Reply out of the queue and leaves the rest as it was.
func TestCall(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.bound(kbus.Listener, "$.L"), w.bound(kbus.Replier, "$.Q")
		go r.Serve(w.Context(), func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
			w.send(r, kbus.Announcement("$.L", "before the Reply"))
			return m.Reply([]byte("yes"))
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
			{func(r *kbus.Ksock) { r.Unbind(w.Context(), "$.Q", kbus.Replier) }, kbus.ErrUnbound,
				": the Replier unbound before it read the Request ($.KBUS.Replier.Unbound)"},
		}
		for _, test := range tests {
			us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
			failed := make(chan struct{})
			go func() {
				defer close(failed)
				for { // until the Request is there
					if n, err := r.Queue().Len(w.Context()); n > 0 || err != nil {
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

// A Call that is given up says which Request it was. Its Replier still owes the Reply and can send it, others hear it, and
// nobody else: it does not even keep a slot of the queue. Who asks for it gets it as any other message.
func TestCanceledCall(t *testing.T) {
	onAll(t, func(w *world) {
		for _, keep := range []bool{false, true} {
			var opts []kbus.Option
			if keep {
				opts = append(opts, kbus.KeepLateAnswer())
			}
			us, r, other := w.ksock(opts...), w.bound(kbus.Replier, "$.Q"), w.bound(kbus.Listener, "$.Q")
			_, err := us.Queue().SetLimit(w.Context(), 2)
			w.must(err)
			ctx, cancel := context.WithCancel(w.Context())
			var got *kbus.Message
			var replier sync.WaitGroup
			replier.Go(func() {
				var err error
				if got, err = r.Receive(w.Context()); err != nil {
					w.Error(err)
				}
				cancel()
			})
			_, err = us.Call(ctx, kbus.Request("$.Q", ""))
			replier.Wait()
			w.fails(err, context.Canceled)
			var e *kbus.Error
			if !errors.As(err, &e) {
				w.Fatal(err)
			}
			is(w, "given up", e.ID, got.ID)
			w.must(us.Bind(w.Context(), "$.More", kbus.Listener))
			sent := w.send(other, kbus.Announcement("$.More", "first"))
			sent = w.send(other, kbus.Announcement("$.More", "second"))
			is(w, "skipped for want of a slot", sent.Skipped == 1, keep)

			_, err = r.Send(w.Context(), &kbus.Message{Header: kbus.Header{To: got.From, InReplyTo: got.ID}, Name: "$.Q"})
			w.must(err)
			if n, err := r.Queue().Unreplied(w.Context()); err != nil || n != 0 {
				w.Errorf("%d unreplied, %v", n, err)
			}
			for _, what := range []message.Kind{message.RequestKind, message.ReplyKind} {
				m, err := other.Receive(w.Context())
				w.must(err)
				is(w, "a Listener hears", m.Kind(), what)
			}
			want := []message.Kind{message.AnnouncementKind, message.AnnouncementKind}
			if keep {
				want[1] = message.ReplyKind
			}
			for _, kind := range want {
				m, err := us.Receive(w.Context())
				w.must(err)
				is(w, "then comes", m.Kind(), kind)
			}
			if m, err := us.Next(w.Context()); m != nil || err != nil {
				w.Errorf("and then %v, %v", m, err)
			}
			for _, k := range []*kbus.Ksock{us, r, other} {
				w.must(k.Close())
			}
		}
	})
}

// A Request that still waits for room is not sent at all when its Call is given up.
func TestCanceledCallThatWaitsForRoom(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		_, err := r.Queue().SetLimit(w.Context(), 1)
		w.must(err)
		w.send(us, kbus.Request("$.Q", "fills"))
		ctx, cancel := context.WithCancel(w.Context())
		var call sync.WaitGroup
		call.Go(func() {
			m := kbus.Request("$.Q", "waits")
			m.Flags |= kbus.AllOrWait
			_, err := us.Call(ctx, m)
			w.fails(err, context.Canceled)
		})
		for { // until it waits
			list, err := us.Observer().List(w.Context())
			w.must(err)
			if slices.ContainsFunc(list, func(k kbus.KsockInfo) bool { return k.Sending }) {
				break
			}
		}
		cancel()
		call.Wait()
		m, err := r.Receive(w.Context())
		w.must(err)
		is(w, "the Replier gets", string(m.Data), "fills")
		if m, err := r.Next(w.Context()); m != nil || err != nil {
			w.Errorf("and then %v, %v", m, err)
		}
	})
}

// NextReply finds the answers to several Requests in any order.
func TestNextReply(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		go r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply(m.Data)
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
