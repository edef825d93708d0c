package federation

import (
	"context"
	"errors"
	"testing"

	"kbus.example/kbus"
)

// A standby takes over on its own bus, and no other member sees more than Statuses: the claim stays, and so do the proxies. On
// another bus one cannot stand by.
func TestStandby(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	events := b.watch()
	first := a.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	second, third := a.bound(kbus.Standby, "$.Q"), a.bound(kbus.Standby, "$.Q")
	for _, k := range []*kbus.Ksock{second, third} {
		go k.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply(nil) })
	}
	if err := b.open().Bind(t.Context(), "$.Q", kbus.Standby); !errors.Is(err, kbus.ErrReplierBound) {
		t.Errorf("bound behind a proxy: %v", err)
	}
	asker := b.open()
	for _, gone := range []struct{ old, now *kbus.Ksock }{{first, second}, {second, third}} {
		ended := make(chan error, 1)
		answered := make(chan kbus.KsockID, 1)
		go func() {
			for {
				reply, err := asker.Call(t.Context(), kbus.Request("$.Q", ""))
				var status *kbus.StatusError
				if err == nil && reply.OrigFrom.Local == uint32(gone.old.ID()) || errors.As(err, &status) {
					continue
				}
				if err == nil {
					answered <- kbus.KsockID(reply.OrigFrom.Local)
				}
				ended <- err
				return
			}
		}()
		must(t, gone.old.Close())
		if err := <-ended; err != nil {
			t.Fatalf("a Request of another member: %v", err)
		}
		if got := <-answered; got != gone.now.ID() {
			t.Errorf("Ksock %d has answered, not %d", got, gone.now.ID())
		}
	}
	must(t, third.Unbind(t.Context(), "$.Q", kbus.Standby))
	events.event(false, "$.Q") // and no other event before it
	c := b.bound(kbus.Standby, "$.Q")
	if got, err := b.open().File().Replier(t.Context(), "$.Q"); err != nil || got != c.ID() {
		t.Errorf("%v %v", got, err)
	}
}
