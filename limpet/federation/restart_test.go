package federation

import (
	"testing"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/store"
)

// A bus that is started anew counts its messages from 1 again. Nobody takes them for what it said in its last life.
func TestRestart(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	listener := b.bound(kbus.Listener, "$.X")
	send := func(g *node, n int) {
		sender := g.open()
		for i := range n {
			_, err := sender.Send(t.Context(), kbus.Announcement("$.X", []byte{byte(i)}))
			must(t, err)
		}
		for i := range n {
			if m := receive(t, listener); m.Data[0] != byte(i) {
				t.Fatalf("instead of message %d: %v", i, m)
			}
		}
	}
	send(a, 50)
	must(t, a.stop())
	a.bus.Close()
	again := h.member(1)
	send(again, 20)
}

// Where a bus dies, others hear that its Replier is gone. Their own bus is not.
func TestBusOfReplierDies(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	events := a.watch()
	listener := b.bound(kbus.Listener, "$.After")
	b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	asker := a.open()
	for _, m := range []*kbus.Message{kbus.Request("$.Q", ""), kbus.Announcement("$.After", "")} {
		_, err := asker.Send(t.Context(), m)
		must(t, err)
	}
	receive(t, listener) // so the Request is in its Replier's queue
	b.bus.Close()
	if m := receive(t, asker); m.Name != string(kbus.ErrGoneAway) {
		t.Errorf("%v", m)
	}
}

// The servers have lost the directory and the leases, and somebody has begun to make them anew. All bowls join again, and know each
// other's Repliers: a copy of what was is of no use, nor are its numbers.
func TestServersForgot(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	for _, name := range []string{"$.A", "$.B", "$.C"} { // so that numbers are low in the new directory
		b.bound(kbus.Replier, name)
	}
	nc, err := nats.Connect(h.url)
	must(t, err)
	defer nc.Close()
	for _, stream := range []string{"KV_kb_test_names", "KV_kb_test_leases"} {
		_, err := nc.Request("$JS.API.STREAM.DELETE."+stream, nil, store.Patience)
		must(t, err)
	}
	_, err = leasekeeper.Open(t.Context(), store.NATS{Conn: nc}, "test", 1)
	must(t, err)
	<-a.ready
	<-b.ready
	events := a.watch()
	b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
}
