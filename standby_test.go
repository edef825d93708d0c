package kbus_test

import (
	"testing"

	"kbus.example/kbus"
)

// Who stands by becomes the Replier in the step in which the one before it goes, over every transport: by Unbind, by Close, and
// with a Request that is in a window or its place is taken.
func TestStandby(t *testing.T) {
	onAll(t, func(w *world) {
		a, b := w.bound(kbus.Standby, "$.A"), w.bound(kbus.Standby, "$.A")
		s := w.ksock()
		w.fails(b.Bind(w.Context(), "$.A", kbus.Standby), kbus.ErrReplierBound)
		w.fails(s.Bind(w.Context(), "$.A", kbus.Replier), kbus.ErrReplierBound)
		list, err := s.Observer().Bindings(w.Context())
		w.must(err)
		if len(list) != 2 || list[0].As != kbus.Standby || list[0].Ksock != b.ID() || list[1].As != kbus.Replier {
			t.Errorf("%+v", list)
		}
		w.send(s, kbus.Request("$.A", "read"))
		w.send(s, kbus.Request("$.A", "unread"))
		if _, err := a.Receive(w.Context()); err != nil {
			t.Fatal(err)
		}
		w.must(a.Close())
		for _, want := range []string{"$.KBUS.Replier.GoneAway", "$.KBUS.Replier.Ignored"} {
			m, err := s.Receive(w.Context())
			w.must(err)
			if m.Name != want {
				t.Errorf("%v, want %s", m, want)
			}
		}
		w.send(s, kbus.Request("$.A", "for b"))
		m, err := b.Receive(w.Context())
		w.must(err)
		if string(m.Data) != "for b" {
			t.Error(m)
		}
		c := w.bound(kbus.Standby, "$.A")
		w.must(c.Unbind(w.Context(), "$.A", kbus.Replier)) // it cannot know which it is
		w.must(b.Unbind(w.Context(), "$.A", kbus.Standby))
		_, err = s.Send(w.Context(), kbus.Request("$.A", ""))
		w.fails(err, kbus.ErrNoReplier)
	})
}
