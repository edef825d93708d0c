package ordered

import (
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/report"
)

// Both buses of a member tell how it looks from there, also while a Listener holds the member up.
func TestStatus(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	listener, slow := a.listener("$.A"), b.listener("$.A")
	_, err := slow.Queue().SetLimit(a.Context(), 2)
	must(t, err)
	for range 5 { // each an entry of its own
		a.order("$.A", "x")
	}
	b.order("$.A", "y")
	receives(t, listener, "x", "x", "x", "x", "x", "y")
	b.awaitRoom()
	a.awaitDelivered(6)
	for _, bus := range []*kbus.Bus{a.in, a.out} {
		s := status(t, bus)
		if s.Federation != "test" || s.ID != 1 || s.Policy != report.Ordered || s.Server != "cluster" || !s.InTouch ||
			s.LeaseLeft <= 0 || s.Epoch == 0 || s.Announced != 5 || s.Received != 6 || s.ToDeliver != 0 || len(s.Peers) != 1 ||
			s.Peers[0].ID != 2 || s.Peers[0].Announced != 1 {
			t.Errorf("bowl 1: %+v", s)
		}
	}
	late := status(t, b.in)
	for late.ToDeliver != 4 { // the last entries may not have come
		late = status(t, b.out)
	}
	if late.ID != 2 || late.Received != 2 || late.Announced != 1 || late.Peers[0].Announced != 3 {
		t.Errorf("bowl 2: %+v", late)
	}
	var text strings.Builder
	must(t, late.Print(&text))
	for _, words := range []string{
		"bowl 2 of federation test (ordered), in touch with the quorum", "messages: 1 of this bowl ordered, 2 delivered",
		"lag: 0 messages of the inlet to be ordered, 4 entries of the stream to be delivered; 0 entries lost", "BOWL",
	} {
		if !strings.Contains(text.String(), words) {
			t.Errorf("no word of %q in\n%s", words, &text)
		}
	}
}

// While there is no stream the member waits, its inlet fills, and it says so.
func TestWaiting(t *testing.T) {
	h := newCluster(t)
	b := h.node(2)
	b.conn = h.connect()
	h.end()
	b.begin()
	s := status(t, b.out)
	if s.InTouch || s.LeaseLeft != 0 || s.Epoch != 0 || s.ID != 2 {
		t.Errorf("%+v", s)
	}
	sender := ksock(t, b.in)
	_, err := sender.Queue().SetLimit(b.Context(), 2*queueMessages)
	must(t, err)
	for n := 0; ; n++ {
		_, err := sender.Send(t.Context(), kbus.Request("$.A", ""))
		if n < queueMessages {
			must(t, err)
			continue
		}
		if err == nil {
			t.Error("the inlet takes more than it is to")
		}
		break
	}
	if s := status(t, b.in); s.ToPassOn != queueMessages {
		t.Errorf("%d messages wait", s.ToPassOn)
	}
	h.start()
	if m := receiveOne(t, sender); m.Kind() != kbus.ReplyKind || string(m.Data) != "1" {
		t.Errorf("instead of an acknowledgement: %v", m)
	}
}

// Where another Limpet tells of its federation an ordered member does not, until that one has gone.
func TestTwoServeStatus(t *testing.T) {
	t.Parallel() // it waits for another look at the name
	h := newCluster(t)
	b := h.node(2)
	other := ksock(t, b.out)
	must(t, other.Bind(b.Context(), report.Name, kbus.Replier))
	b.join()
	status(t, b.in)
	must(t, other.Close())
	status(t, b.out)
}
