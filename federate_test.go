package kbus_test

import (
	"errors"
	"testing"
	"time"

	"kbus.example/kbus"
)

// What is carried from another bus is heard once, whoever carries it, and keeps its incarnation.
func TestCarry(t *testing.T) {
	onAll(t, func(w *world) {
		l, a, b := w.bound(kbus.Listener, "$.*"), w.ksock(), w.ksock()
		incarnation, err := a.Bridge().Carry(w.Context(), 5)
		w.must(err)
		again, err := b.Bridge().Carry(w.Context(), 5)
		w.must(err)
		if incarnation == 0 || again != incarnation {
			w.Errorf("the incarnation of the bus is %d and %d", incarnation, again)
		}
		_, err = w.ksock().Bridge().Carry(w.Context(), 6)
		w.fails(err, kbus.ErrOtherNetwork)

		m := kbus.Announcement("$.A", "far")
		m.ID, m.Extra = kbus.ID{Network: 8, Serial: 1}, incarnation+1
		w.send(a, m)
		_, err = b.Send(w.Context(), m)
		w.fails(err, kbus.ErrHeard)
		got, err := l.Receive(w.Context())
		w.must(err)
		is(w, "extra", got.Extra, incarnation+1)
		is(w, "id", got.ID, m.ID)
		m.Extra = incarnation
		_, err = b.Bridge().SendToListeners(w.Context(), m)
		w.fails(err, kbus.ErrHeard)
		w.reads(l)
	})
}

// A proxy's bind events tell whom it stands for.
func TestBindProxy(t *testing.T) {
	onAll(t, func(w *world) {
		l, p := w.bound(kbus.Listener, kbus.NameReplierBindEvent), w.ksock()
		_, err := l.Settings().SetReportReplierBinds(w.Context(), true)
		w.must(err)
		of := kbus.Origin{Network: 8, Local: 2}
		w.fails(p.Bridge().BindProxy(w.Context(), "$.A", of), kbus.ErrNotPermitted)
		_, err = p.Bridge().Carry(w.Context(), 0)
		w.must(err)
		w.must(p.Bridge().BindProxy(w.Context(), "$.A", of))
		w.fails(p.Bridge().BindProxy(w.Context(), "$.A..B", of), kbus.ErrBadName)
		w.reads(l, "<ReplierBindEvent id=[0:1], orig_from=(8,2), flags=0x204 (SYN,aFL), [Bind '$.A' for 2]>")
	})
}

// A copy of what was said elsewhere reaches Listeners only, and nobody owes or awaits an answer.
func TestSendToListeners(t *testing.T) {
	onAll(t, func(w *world) {
		r, l, s := w.bound(kbus.Replier, "$.Q"), w.bound(kbus.Listener, "$.*"), w.ksock()
		sent, err := s.Bridge().SendToListeners(w.Context(), kbus.Request("$.Q", "overheard"))
		w.must(err)
		is(w, "reached", sent.Reached, 1)
		reply := kbus.Announcement("$.Q", "answer")
		reply.InReplyTo, reply.To = kbus.ID{Network: 7, Serial: 7}, l.ID()
		_, err = s.Bridge().SendToListeners(w.Context(), reply)
		w.must(err)
		w.reads(r)
		w.reads(l, "<Request '$.Q', id=[0:1], from=3, flags=0x1 (REQ), data='overheard'>",
			"<Reply '$.Q', id=[0:2], from=3, in_reply_to=[7:7], data='answer'>")
		w.end()
		w.lost(s, "nothing is owed")
	})
}

// lost checks that a Ksock has nothing but the loss of its bus to tell.
func (w *world) lost(k *kbus.Ksock, why string) {
	w.Helper()
	if m, err := k.Receive(w.Context()); !errors.Is(err, kbus.ErrBusGone) {
		w.Errorf("%v, %v, but %s", m, err, why)
	}
}

// Who wants to become a Replier waits for the federator's word, and the federator for nobody's.
func TestFederator(t *testing.T) {
	onAll(t, func(w *world) {
		l, a := w.ksock(), w.ksock()
		f, err := l.Bridge().Federate(w.Context(), true)
		w.must(err)
		_, err = a.Bridge().Federate(w.Context(), false)
		w.fails(err, kbus.ErrReplierBound)

		result := make(chan error, 1)
		bind := func(name string) kbus.BindRequest {
			go func() { result <- a.Bind(w.Context(), name, kbus.Replier) }()
			request, err := f.Next(w.Context())
			w.must(err)
			is(w, "the claim", request.Name, name)
			is(w, "whose it is", request.Ksock, a.ID())
			return request
		}
		w.must(f.Decide(w.Context(), bind("$.A"), 0))
		w.must(<-result)
		w.must(f.Evict(w.Context(), a.ID(), "$.A"))
		w.fails(a.Unbind(w.Context(), "$.A", kbus.Replier), kbus.ErrNotBound)
		w.fails(f.Evict(w.Context(), a.ID(), "$.A"), kbus.ErrNotBound)

		w.must(f.Decide(w.Context(), bind("$.A"), kbus.ErrNoFederation))
		w.fails(<-result, kbus.ErrNoFederation)

		w.must(l.Bind(w.Context(), "$.Far", kbus.Replier))
		w.fails(a.Bind(w.Context(), "$.Far", kbus.Replier), kbus.ErrReplierBound)

		w.must(f.Decide(w.Context(), bind("$.Mine"), 0))
		w.must(<-result)
		bind("$.B")
		w.must(l.Close())
		w.fails(<-result, kbus.ErrNoFederation)
		w.fails(a.Unbind(w.Context(), "$.Mine", kbus.Replier), kbus.ErrNotBound)
		w.must(a.Bind(w.Context(), "$.B", kbus.Replier))
	})
}

// Names that are not shared are nobody's business; those that are lose their Repliers when nobody vouches for them in
// time, and have none until somebody does again.
func TestVouch(t *testing.T) {
	onAll(t, func(w *world) {
		l, a, listener := w.ksock(), w.ksock(), w.bound(kbus.Listener, kbus.NameReplierBindEvent)
		_, err := listener.Settings().SetReportReplierBinds(w.Context(), true)
		w.must(err)
		f, err := l.Bridge().Federate(w.Context(), true, "$.S.*")
		w.must(err)
		w.must(a.Bind(w.Context(), "$.Own", kbus.Replier))
		bind := func() error {
			result := make(chan error, 1)
			go func() { result <- a.Bind(w.Context(), "$.S.A", kbus.Replier) }()
			request, err := f.Next(w.Context())
			w.must(err)
			w.must(f.Decide(w.Context(), request, 0))
			return <-result
		}
		w.must(bind())
		w.must(f.Vouch(w.Context(), kbus.Bridge{}.SinceBoot()+time.Hour))
		w.must(f.Vouch(w.Context(), kbus.Bridge{}.SinceBoot()+time.Millisecond))
		for unbound := false; !unbound; {
			m, err := listener.Receive(w.Context())
			w.must(err)
			e, ok := kbus.ParseBindEvent(m.Data)
			unbound = ok && !e.Bind && e.Name == "$.S.A"
		}
		w.fails(a.Bind(w.Context(), "$.S.A", kbus.Replier), kbus.ErrNoFederation)
		owner, err := l.File().Replier(w.Context(), "$.Own")
		w.must(err)
		is(w, "who has a name that is not shared", owner, a.ID())
		w.must(f.Vouch(w.Context(), kbus.Bridge{}.SinceBoot()+time.Hour))
		w.must(bind())
	})
}
