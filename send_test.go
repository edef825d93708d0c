package kbus_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// What a send may end in, one line each: part 4 and R2.11 - R2.14. The cast: us, who sends; r, Replier of $.Q; l,
// Listener of $.L with a queue of one message; x, who has nothing to do with it.
func TestSendErrors(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message
		want  error
	}{
		{"no Replier (R4.11)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Request("$.Nobody", "")
		}, kbus.ErrNoReplier},
		{"Replier full (R4.16)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			r.Queue().SetLimit(w.Context(), 1)
			w.send(x, kbus.Request("$.Q", ""))
			return kbus.Request("$.Q", "")
		}, kbus.ErrReplierFull},
		{"Listener full (R4.18)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			w.send(x, kbus.Announcement("$.L", ""))
			m := kbus.Announcement("$.L", "")
			m.Flags |= kbus.AllOrFail
			return m
		}, kbus.ErrListenerFull},
		{"no room for the Reply (R4.5)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			us.Queue().SetLimit(w.Context(), 1)
			w.send(us, kbus.Request("$.Q", ""))
			return kbus.Request("$.Q", "")
		}, kbus.ErrNoRoomForReply},
		{"other Replier (R4.44)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			m := kbus.Request("$.Q", "")
			m.To = l.ID()
			return m
		}, kbus.ErrOtherReplier},
		{"addressee gone (R4.12)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			w.must(us.Bind(w.Context(), "$.Us", kbus.Replier))
			w.send(x, kbus.Request("$.Us", ""))
			m, _ := us.Next(w.Context())
			reply, err := m.Reply(nil)
			w.must(err)
			x.Close()
			return reply
		}, kbus.ErrAddresseeGone},
		{"not expected (R4.13)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return &kbus.Message{Name: "$.Q", Header: kbus.Header{To: x.ID(), InReplyTo: kbus.ID{Serial: 99}}}
		}, kbus.ErrNotExpected},
		{"not ours to reply (F12)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			sent := w.send(x, kbus.Request("$.Q", ""))
			return &kbus.Message{Name: "$.Q", Header: kbus.Header{To: x.ID(), InReplyTo: sent.ID}}
		}, kbus.ErrNotYoursToReply},
		{"wildcard (R1.20)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Announcement("$.*", "")
		}, kbus.ErrBadName},
		{"no name (R2.11)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Announcement("", "")
		}, kbus.ErrMalformed},
		{"name too long (R2.14)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Announcement("$."+strings.Repeat("a", 999), "")
		}, kbus.ErrNameTooLong},
		{"name longer than a frame", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Announcement("$."+strings.Repeat("a", 1<<20), "")
		}, kbus.ErrNameTooLong},
		{"message too long (R2.11)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Announcement("$.L", make([]byte, 409600))
		}, kbus.ErrMessageTooLong},
		{"message longer than a frame", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			return kbus.Announcement("$.L", make([]byte, 10<<20))
		}, kbus.ErrMessageTooLong},
		{"both flags (R2.11)", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			m := kbus.Announcement("$.L", "")
			m.Flags = kbus.AllOrFail | kbus.AllOrWait
			return m
		}, kbus.ErrWaitAndFail},
		{"closed", func(w *world, us, r, l, x *kbus.Ksock) *kbus.Message {
			us.Close()
			return kbus.Announcement("$.L", "")
		}, kbus.ErrClosed},
	}
	onAll(t, func(w *world) {
		for _, test := range tests {
			us, x := w.ksock(), w.ksock()
			r, l := w.bound(kbus.Replier, "$.Q"), w.bound(kbus.Listener, "$.L")
			l.Queue().SetLimit(w.Context(), 1)
			_, err := us.Send(w.Context(), test.setUp(w, us, r, l, x))
			if !errors.Is(err, test.want) || !errors.Is(err, test.want.(kbus.Condition).Errno()) {
				w.Errorf("%s: %v", test.name, err)
			}
			for _, k := range []*kbus.Ksock{us, x, r, l} {
				k.Close()
			}
		}
	})
}

func TestModes(t *testing.T) {
	onAll(t, func(w *world) {
		r, wr := w.ksock(kbus.ReadOnly()), w.ksock(kbus.WriteOnly())
		is(w, "the reader", r.String(), "Ksock device 0, id 1, mode read")
		is(w, "the writer", wr.String(), "Ksock device 0, id 2, mode write")
		w.must(r.Bind(w.Context(), "$.A", kbus.Replier)) // R3.6
		_, err := r.Send(w.Context(), kbus.Announcement("$.A", ""))
		w.fails(err, kbus.ErrWrongMode)
		_, err = wr.Receive(w.Context())
		w.fails(err, kbus.ErrWrongMode)
		_, err = wr.Call(w.Context(), kbus.Request("$.A", ""))
		w.fails(err, kbus.ErrWrongMode)
		sending, err := r.File().Sending(w.Context())
		if sending || err != nil {
			w.Errorf("a reader is sending: %v, %v", sending, err)
		}
		w.send(wr, kbus.Request("$.A", ""))
		w.reads(r, "<Request '$.A', id=[0:1], from=2, flags=0x3 (REQ,YOU)>")
	})
}

// R13.12: a message that waits for room, and everything that can be done about it.
func TestAllOrWait(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		l.Queue().SetLimit(w.Context(), 1)
		wait := func() kbus.Sent {
			w.Helper()
			w.send(s, kbus.Announcement("$.L", "fills the queue"))
			m := kbus.Announcement("$.L", "waits")
			m.Flags |= kbus.AllOrWait
			sent, err := s.Send(w.Context(), m)
			w.must(err)
			is(w, "pending", sent.Pending, true)
			sending, err := s.File().Sending(w.Context())
			is(w, "sending", sending, true)
			w.must(err)
			_, err = s.Send(w.Context(), m)
			w.fails(err, kbus.ErrStillSending)
			again, err := s.File().Resend(w.Context())
			w.must(err)
			is(w, "still pending", again.Pending, true)
			is(w, "the id of the second try", again.ID, sent.ID)
			last, err := s.File().LastSent(w.Context())
			is(w, "last sent", last, sent.ID)
			w.must(err)
			return sent
		}
		wait()
		result := make(chan error)
		go func() { result <- s.WaitSent(w.Context()) }()
		_, err := l.Next(w.Context())
		w.must(err)
		w.must(<-result)
		m, err := l.Next(w.Context())
		w.must(err)
		is(w, "what waited", string(m.Data), "waits")
		_, err = s.File().Resend(w.Context())
		w.fails(err, kbus.ErrNothingToSend)

		wait()
		w.must(s.Discard(w.Context())) // R13.15
		w.must(s.WaitSent(w.Context()))
		_, err = s.File().Resend(w.Context())
		w.fails(err, kbus.ErrNothingToSend)
		m, err = l.Next(w.Context())
		w.must(err)
		is(w, "what did not wait", string(m.Data), "fills the queue")
		w.reads(l)

		wait()
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		w.fails(s.WaitSent(ctx), context.Canceled)
	})
}

// The default mode is never a silent loss: a send tells how many it missed.
func TestSkipped(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L", "$.*")
		w.bound(kbus.Listener, "$.L")
		l.Queue().SetLimit(w.Context(), 1)
		is(w, "the first", w.send(s, kbus.Announcement("$.L", "")).Reached, 3) // R4.6
		second := w.send(s, kbus.Announcement("$.L", ""))
		is(w, "the second", second, kbus.Sent{ID: second.ID, Reached: 1, Skipped: 2})
	})
}

// Large messages go through buffers that are smaller than they are.
func TestLargeMessages(t *testing.T) {
	onAll(t, func(w *world) {
		s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
		for n := 1; n < 409000; n = n*3 + 1 {
			data := bytes.Repeat([]byte{byte(n)}, n)
			for range 3 {
				w.send(s, kbus.Announcement("$.L", data))
			}
			for range 3 {
				m, err := l.Receive(w.Context())
				w.must(err)
				if !bytes.Equal(m.Data, data) {
					w.Fatalf("%d bytes came as %d others", n, len(m.Data))
				}
			}
		}
	})
}

func TestMakingMessages(t *testing.T) {
	plain := kbus.Request("$.A", "")
	_, err := plain.Reply([]byte("x"))
	if !errors.Is(err, kbus.ErrNoReplyWanted) || !errors.Is(err, syscall.EBADMSG) {
		t.Errorf("a Reply to a Listener's copy: %v", err)
	}
	_, err = plain.StatefulRequest("$.A", []byte("x"))
	if !errors.Is(err, kbus.ErrNotStateful) || !errors.Is(err, syscall.EBADMSG) {
		t.Errorf("a stateful Request after a plain one: %v", err)
	}
	reply := &kbus.Message{Header: kbus.Header{
		InReplyTo: kbus.ID{Serial: 1}, From: 3, OrigFrom: kbus.Origin{Network: 5, Local: 6},
	}}
	first, err := reply.StatefulRequest("$.A", []byte("x"))
	if err != nil || first.To != 3 || first.FinalTo != reply.OrigFrom || !first.IsRequest() {
		t.Errorf("a stateful Request after a Reply: %v, %v", first, err) // R10.37
	}
	second, err := first.StatefulRequest("$.B", []byte("y"))
	if err != nil || second.To != 3 || second.FinalTo != first.FinalTo || second.Name != "$.B" {
		t.Errorf("a stateful Request after another: %v, %v", second, err)
	}
	status := &kbus.Message{Name: "$.KBUS.Replier.Disappeared", Header: kbus.Header{InReplyTo: kbus.ID{Serial: 1}}}
	if _, err = status.StatefulRequest("$.A", nil); !errors.Is(err, kbus.ErrNotStateful) {
		t.Errorf("a stateful Request to the bus itself: %v", err)
	}
}
