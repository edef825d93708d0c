package model_test

import (
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/form"
)

// The bus is handed over at random moments: another one, made from its state, goes on in its place, and the model does not
// know. Whatever differed would be found by the comparison after one of the next operations.

// TestCompareHandedOver is TestCompare with that, and TestCompareWindowsHandedOver with windows too.
func TestCompareHandedOver(t *testing.T) { compare(t, *wantOps/4, start{handsOver: true}) }
func TestCompareWindowsHandedOver(t *testing.T) {
	compare(t, *wantOps/4, start{handsOver: true, windows: true})
}

// handOver does it. What is under way in pieces is done first, and what windows show is taken back.
func (p *pair) handOver() {
	p.sweepAll()
	p.say("handed over")
	bus.TakeBack(p.bus)
	state, err := bus.StateOf(p.bus)
	if err != nil {
		p.fail("state: %v", err)
	}
	var got bus.State
	bytes := form.Append(nil, 1, state.Code)
	c := form.Reader(1, bytes)
	if got.Code(c); c.Err() != nil {
		p.fail("through bytes: %v", c.Err())
	}
	b, ksocks, err := bus.FromState(&got, bus.Config{Limits: p.limits})
	if err != nil {
		p.fail("from state: %v", err)
	}
	for bus.Borrows(b) {
		bus.MoveIn(b, 1)
	}
	clear(bytes) // nothing of it may be needed
	slices.Reverse(ksocks)
	same(p, "Ksocks", len(ksocks), len(p.ksocks))
	for i, k := range p.ksocks {
		if k.b = ksocks[i]; k.window != nil {
			b.SetWindow(k.b, k.window)
		}
	}
	p.bus = b
	if p.pieces {
		b.InPieces(1)
	}
	b.SetQuick(p.paths != slowPaths)
	p.follow()
}
