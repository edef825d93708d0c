package federation

import (
	"testing"

	"kbus.example/kbus"
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
