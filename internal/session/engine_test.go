package session

import (
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What an Engine asks its owner, and how it shows a peer.

type host struct{ n uint32 }

func (h *host) NewBus(bus.Owner) (uint32, message.Condition) {
	if h.n == 2 {
		return 77, message.ErrTooManyBuses
	}
	h.n++
	return h.n, message.OK
}

func TestNewBus(t *testing.T) {
	w := newWorld(t, bus.Config{})
	w.e.host = &host{}
	a := w.open("A", 3)
	for range 3 {
		w.do(a, wire.Header{Op: wire.OpNewBus}, nil)
	}
	got := w.frames(a)
	if got[0].Arg != 1 || got[1].Arg != 2 || got[2].Condition != message.ErrTooManyBuses || got[2].Arg != 0 {
		t.Errorf("got %+v", got)
	}
}

// A process chooses its own name; what is shown of it cannot steer a terminal, and its length is bounded.
func TestProgramIsPrintable(t *testing.T) {
	for program, want := range map[string]string{
		"lamp":                         "lamp",
		"a\x1b[2Jb\nc\xff":             "a?[2Jb?c?",
		"grün":                         "grün",
		string(make([]byte, 300)):      string(slices.Repeat([]byte("?"), wire.MaxProgramBytes)),
		string([]rune{'x', 0x202e, 0}): "x??",
	} {
		if got := Printable(program); got != want {
			t.Errorf("%q is shown as %q, want %q", program, got, want)
		}
	}
}
