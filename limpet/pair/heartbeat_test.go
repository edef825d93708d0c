package pair

import "testing"

// Who gives pulses is missed when they stop; who never gave one is not; and nothing is missed that we do not read.
func TestPulse(t *testing.T) {
	beats := func(p *heartbeat, n int, waiting bool) (lost bool) {
		for range n {
			_, lost = p.tick(waiting)
		}
		return lost
	}
	var p heartbeat
	if send, _ := p.tick(true); send || beats(&p, 100, true) {
		t.Error("an original Limpet is given pulses, or missed")
	}
	if !p.received() {
		t.Error("the first pulse is not answered")
	}
	p.sent = true
	if p.received() {
		t.Error("and the second is")
	}
	if send, _ := p.tick(true); !send {
		t.Error("none is given")
	}
	p.alive()
	if beats(&p, mostMissed, true) || !beats(&p, 1, true) {
		t.Errorf("lost after %d, or not after one more", mostMissed)
	}
	p.alive()
	if beats(&p, 100, false) {
		t.Error("missed, when we do not read")
	}
	p.alive()
	if beats(&p, mostMissed, true) {
		t.Error("lost at once")
	}
}
