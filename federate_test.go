package kbus_test

import (
	"errors"
	"testing"

	"kbus"
)

// A copy of what was said elsewhere reaches Listeners only, and nobody owes or awaits an answer.
func TestSendToListeners(t *testing.T) {
	onAll(t, func(w *world) {
		r, l, s := w.bound(kbus.Replier, "$.Q"), w.bound(kbus.Listener, "$.*"), w.ksock()
		sent, err := s.SendToListeners(w.Context(), kbus.Request("$.Q", "overheard"))
		w.must(err)
		is(w, "reached", sent.Reached, 1)
		reply := kbus.Announcement("$.Q", "answer")
		reply.InReplyTo, reply.To = kbus.ID{Network: 7, Serial: 7}, l.ID()
		_, err = s.SendToListeners(w.Context(), reply)
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
		f, err := l.Federate(true)
		w.must(err)
		_, err = a.Federate(false)
		w.fails(err, kbus.ErrReplierBound)

		result := make(chan error, 1)
		bind := func(name string) kbus.Claim {
			go func() { result <- a.Bind(name, kbus.Replier) }()
			claim, err := f.Next(w.Context())
			w.must(err)
			is(w, "the claim", claim.Name, name)
			is(w, "whose it is", claim.Ksock, a.ID())
			return claim
		}
		w.must(f.Decide(bind("$.A"), 0))
		w.must(<-result)
		w.must(f.Evict(a.ID(), "$.A"))
		w.fails(a.Unbind("$.A", kbus.Replier), kbus.ErrNotBound)
		w.fails(f.Evict(a.ID(), "$.A"), kbus.ErrNotBound)

		w.must(f.Decide(bind("$.A"), kbus.ErrNoFederation))
		w.fails(<-result, kbus.ErrNoFederation)

		w.must(l.Bind("$.Far", kbus.Replier))
		w.fails(a.Bind("$.Far", kbus.Replier), kbus.ErrReplierBound)

		w.must(f.Decide(bind("$.Mine"), 0))
		w.must(<-result)
		bind("$.B")
		w.must(l.Close())
		w.fails(<-result, kbus.ErrNoFederation)
		w.fails(a.Unbind("$.Mine", kbus.Replier), kbus.ErrNotBound)
		w.must(a.Bind("$.B", kbus.Replier))
	})
}
