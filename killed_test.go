package kbus_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// The daemon is killed in the middle of conversations, at many points. Whoever had asked gets as many answers as
// Requests were accepted: Replies first, then a Status for each that is left, and never both.
func TestDaemonKilled(t *testing.T) {
	for _, point := range []int{0, 1, 2, 3, 5, 8, 13, 40, 100, 200} {
		t.Run("after "+strconv.Itoa(point)+" messages", func(t *testing.T) { conversation(t, point) })
	}
}

func conversation(t *testing.T, point int) {
	d := startDaemon(t, tempDir(t))
	w := &world{TB: t, open: d.open}
	r := w.bound(kbus.Replier, "$.Q")
	w.must(r.Bind(t.Context(), "$.C", kbus.Replier))
	senders := make([]*kbus.Ksock, 3)
	for i := range senders {
		senders[i] = w.ksock()
	}
	caller := w.ksock()

	var all sync.WaitGroup
	handled := 0
	all.Go(func() {
		err := r.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			if handled == point {
				go d.kill()
			}
			handled++
			return m.Reply(nil)
		})
		if !errors.Is(err, kbus.ErrBusGone) {
			t.Errorf("Serve: %v", err)
		}
	})
	for _, k := range senders {
		all.Go(func() { askUntilGone(t, k) })
	}
	all.Go(func() {
		for {
			_, err := caller.Call(w.Context(), kbus.Request("$.C", ""))
			var status *kbus.StatusError
			switch {
			case err == nil:
				continue
			case errors.As(err, &status):
				_, err = caller.Next(t.Context())
			}
			if !errors.Is(err, kbus.ErrBusGone) {
				t.Errorf("Call: %v", err)
			}
			return
		}
	})
	all.Wait()
	w.Logf("%d messages handled", handled)
}

// askUntilGone keeps a few Requests open, and counts what comes of them.
func askUntilGone(t *testing.T, k *kbus.Ksock) {
	open := map[kbus.ID]bool{}
	answer := func() bool {
		m, err := k.Receive(context.Background())
		if err != nil {
			if !errors.Is(err, kbus.ErrBusGone) {
				t.Errorf("Receive: %v", err)
			}
			return false
		}
		if !open[m.InReplyTo] {
			t.Errorf("an answer to nothing: %v", m)
		}
		delete(open, m.InReplyTo)
		return true
	}
	for {
		sent, err := k.Send(context.Background(), kbus.Request("$.Q", ""))
		switch {
		case err == nil:
			open[sent.ID] = true
		case !errors.Is(err, kbus.ErrBusGone):
			t.Errorf("Send: %v", err)
			return
		}
		if err != nil || len(open) > 3 {
			if !answer() {
				break
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("no answer to %v", open)
	}
}

// A daemon that has stopped answering does not hold anybody beyond the end of a context, and what it was asked for is
// not lost when it goes on.
func TestDaemonStopped(t *testing.T) {
	d := startDaemon(t, tempDir(t))
	w := &world{TB: t, open: d.open}
	s, l := w.ksock(), w.bound(kbus.Listener, "$.L")
	const rounds = 4
	for range rounds {
		d.stop(t)
		ctx, cancel := context.WithCancel(w.Context())
		var sender sync.WaitGroup
		sender.Go(func() { w.send(s, kbus.Announcement("$.L", "the message")) })
		go cancel()
		_, err := l.Receive(ctx)
		w.fails(err, context.Canceled)
		_, err = l.Call(ctx, kbus.Request("$.Nobody", ""))
		w.fails(err, context.Canceled)
		d.goOn()
		m, err := l.Receive(w.Context())
		w.must(err)
		is(w, "what comes", string(m.Data), "the message")
		sender.Wait()
	}
	w.reads(l)
}

// Close does not wait for ever for a daemon that does not answer, nor does Open.
func TestCloseWithDaemonStopped(t *testing.T) {
	d := startDaemon(t, tempDir(t))
	w := &world{TB: t, open: d.open}
	k := w.ksock()
	d.stop(t)
	w.must(k.Close())
	ctx, cancel := context.WithCancel(w.Context())
	go cancel()
	_, err := kbus.Open(ctx, 0, kbus.Dir(d.dir))
	w.fails(err, context.Canceled)
}
