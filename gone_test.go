package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// A program that only polls learns of a lost bus too, with an empty queue and over any link.
func TestNextLearnsOfALostBus(t *testing.T) {
	onAll(t, func(w *world) {
		us := w.bound(kbus.Listener, "$.*")
		m, err := us.Next(w.Context())
		if m != nil || err != nil {
			w.Fatalf("an empty queue: %v, %v", m, err)
		}
		w.end()
		for err == nil {
			_, err = us.Next(w.Context())
		}
		w.fails(err, kbus.ErrBusGone)
	})
}

// When the bus is lost, each open Request gets its Status, in the order of sending, whoever waits is told, and then
// everything says that the bus is gone.
func TestBusGone(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		r.Queue().SetLimit(w.Context(), 3)
		first := w.send(us, kbus.Request("$.Q", "1")).ID
		second := w.send(us, kbus.Request("$.Q", "2")).ID
		answered := w.send(us, kbus.Request("$.Q", "3")).ID
		for range 3 {
			m, err := r.Receive(w.Context())
			w.must(err)
			if m.ID == answered {
				reply, err := m.Reply(nil)
				w.must(err)
				w.send(r, reply)
			}
		}
		_, err := us.NextReply(w.Context(), answered)
		w.must(err)
		for range 3 { // fills the Replier, so that the next one waits
			w.send(r, kbus.Announcement("$.Q", ""))
		}
		w.must(r.Bind(w.Context(), "$.Q", kbus.Listener))
		for range 3 {
			w.send(us, kbus.Announcement("$.Q", ""))
		}
		waits := kbus.Request("$.Q", "4")
		waits.Flags |= kbus.AllOrWait
		pending, err := us.Send(w.Context(), waits)
		w.must(err)
		is(w, "pending", pending.Pending, true)

		w.end()

		for _, id := range []kbus.ID{first, second, pending.ID} {
			m, err := us.Receive(w.Context())
			w.must(err)
			is(w, "a Status", m.String(), fmt.Sprintf(
				"<Status '$.KBUS.Bus.GoneAway', to=1, in_reply_to=%v, flags=0x4 (SYN)>", id))
			w.fails(kbus.StatusOf(m), kbus.ErrBusGoneAway)
			w.fails(kbus.StatusOf(m), kbus.ErrBusGone)
		}
		for name, try := range map[string]func() error{
			"Receive": func() error { _, err := us.Receive(w.Context()); return err },
			"Next":    func() error { _, err := us.Next(w.Context()); return err },
			"Send":    func() error { _, err := us.Send(w.Context(), kbus.Announcement("$.A", "")); return err },
			"Call":    func() error { _, err := us.Call(w.Context(), kbus.Request("$.A", "")); return err },
			"Bind":    func() error { return us.Bind(w.Context(), "$.A", kbus.Listener) },
			"List":    func() error { _, err := us.Observer().List(w.Context()); return err },
			"Serve":   func() error { return us.Serve(w.Context(), nil) },
		} {
			if err := try(); !errors.Is(err, kbus.ErrBusGone) || !errors.Is(err, syscall.ENOTCONN) {
				w.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A Call that runs when the bus is lost is answered by the Status, and a Receive by the error.
func TestBusGoneWhileWaiting(t *testing.T) {
	onAll(t, func(w *world) {
		us, r := w.ksock(), w.bound(kbus.Replier, "$.Q")
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				_, err := us.Call(w.Context(), kbus.Request("$.Q", ""))
				var status *kbus.StatusError
				if !errors.As(err, &status) {
					w.Errorf("Call: %v", err)
				}
				w.fails(err, kbus.ErrBusGoneAway)
				w.fails(err, kbus.ErrBusGone)
			})
		}
		waiting.Go(func() {
			ends := 0
			for m, err := range us.Messages(w.Context()) {
				if ends++; m != nil || !errors.Is(err, kbus.ErrBusGone) {
					w.Errorf("Messages: %v, %v", m, err)
				}
			}
			is(w, "errors of Messages", ends, 1)
		})
		for range 3 {
			_, err := r.Receive(w.Context())
			w.must(err)
		}
		w.end()
		waiting.Wait()
	})
}

// A Request that has been discarded, or that a Resend has failed, gets no Status from the bus (R3.71, R5.10); so it
// gets none from us either. One that a given-up Call has sent does, if its answer is wanted all the same.
func TestWhoIsOwedAStatus(t *testing.T) {
	onAll(t, func(w *world) {
		us := w.ksock(kbus.KeepLateAnswer())
		waits := kbus.Request("$.Q", "")
		waits.Flags |= kbus.AllOrWait
		fill := func() *kbus.Ksock {
			r := w.bound(kbus.Replier, "$.Q")
			r.Queue().SetLimit(w.Context(), 1)
			w.must(r.Bind(w.Context(), "$.L", kbus.Listener))
			w.send(us, kbus.Announcement("$.L", ""))
			sent, err := us.Send(w.Context(), waits)
			w.must(err)
			is(w, "pending", sent.Pending, true)
			return r
		}
		r := fill()
		w.must(us.Discard(w.Context()))
		r.Close()

		// Resend, when our own queue has no room for the Reply (R13.28).
		r = fill()
		us.Queue().SetLimit(w.Context(), 1)
		w.must(us.Bind(w.Context(), "$.Us", kbus.Listener))
		w.send(r, kbus.Announcement("$.Us", ""))
		_, err := us.File().Resend(w.Context())
		w.fails(err, kbus.ErrNoRoomForReply)
		_, err = us.Next(w.Context())
		w.must(err)
		us.Queue().SetLimit(w.Context(), 100)
		_, err = r.Next(w.Context())
		w.must(err)

		ctx, cancel := context.WithCancel(w.Context())
		gone := make(chan error)
		go func() {
			_, err := us.Call(ctx, kbus.Request("$.Q", ""))
			gone <- err
		}()
		asked, err := r.Receive(w.Context())
		w.must(err)
		cancel()
		w.fails(<-gone, context.Canceled)

		w.end()
		m, err := us.Receive(w.Context())
		w.must(err)
		is(w, "the only Status is for", m.InReplyTo, asked.ID)
		_, err = us.Next(w.Context())
		w.fails(err, kbus.ErrBusGone)
	})
}

func TestReopen(t *testing.T) {
	w := &world{TB: t}
	dir := tempDir(t)
	first := startDaemon(t, dir)
	k, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
	w.must(err)
	defer k.Close()
	r, err := k.Reopen(w.Context())
	w.must(err)
	is(w, "a Ksock that needs no reopening", fmt.Sprintf("%+v", r), "{OldID:1 ID:1 Bound:[] Failed:[]}")

	for _, b := range []kbus.Binding{
		{Name: "$.A", As: kbus.Listener}, {Name: "$.Q", As: kbus.Replier}, {Name: "$.B", As: kbus.Listener},
		{Name: "$.C", As: kbus.Listener}, {Name: "$.P.%", As: kbus.Replier}, {Name: "$.A", As: kbus.Listener},
	} {
		w.must(k.Bind(t.Context(), b.Name, b.As))
	}
	w.must(k.Unbind(t.Context(), "$.B", kbus.Listener))
	_, err = k.Queue().SetLimit(t.Context(), 17)
	w.must(err)
	_, err = k.Queue().SetOnlyOnce(t.Context(), true)
	w.must(err)
	request := w.send(k, kbus.Request("$.Q", "")).ID
	first.kill()

	if _, err = k.Reopen(w.Context()); !errors.Is(err, kbus.ErrNoSuchBus) {
		t.Fatalf("reopened what is not there: %v", err)
	}
	startDaemon(t, dir)
	w.fails(k.Bind(t.Context(), "$.C", kbus.Listener), kbus.ErrBusGone) // nothing reconnects by itself
	other, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
	w.must(err)
	defer other.Close()
	w.must(other.Bind(t.Context(), "$.Q", kbus.Replier))
	r, err = k.Reopen(w.Context())
	w.must(err)
	is(w, "the ids", fmt.Sprint(r.OldID, r.ID, k.ID()), "1 2 2")
	is(w, "bound", fmt.Sprint(r.Bound), "[{$.A Listener} {$.C Listener} {$.P.% Replier} {$.A Listener}]")
	is(w, "not bound", fmt.Sprint(len(r.Failed), r.Failed[0].Binding), "1 {$.Q Replier}")
	w.fails(r.Failed[0].Err, kbus.ErrReplierBound)
	n, err := k.Queue().Limit(t.Context())
	is(w, "the queue limit", fmt.Sprint(n, err), "17 <nil>")
	once, err := k.Queue().OnlyOnce(t.Context())
	is(w, "only once", fmt.Sprint(once, err), "true <nil>")

	m, err := k.Next(t.Context()) // what was still to be told about the old bus
	w.must(err)
	is(w, "the Status is for", m.InReplyTo, request)
	w.send(other, kbus.Announcement("$.A", "hello again"))
	w.reads(k, "<Announcement '$.A', id=[0:1], from=1, data='hello again'>")

	k.Close()
	_, err = k.Reopen(w.Context())
	w.fails(err, kbus.ErrClosed)
}
