package federation

import (
	"testing"

	"kbus"
)

// A bus that is started anew counts its messages from 1 again. Nobody takes them for what it said in its last life.
func TestRestart(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	ear := b.bound(kbus.Listener, "$.X")
	say := func(g *guest, n int) {
		mouth := g.open()
		for i := range n {
			_, err := mouth.Send(t.Context(), kbus.Announcement("$.X", []byte{byte(i)}))
			must(t, err)
		}
		for i := range n {
			if m := receive(t, ear); m.Data[0] != byte(i) {
				t.Fatalf("instead of message %d: %v", i, m)
			}
		}
	}
	say(a, 50)
	must(t, a.stop())
	a.bus.Close()
	again := h.bowl(1)
	say(again, 20)
}
