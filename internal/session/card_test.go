package session

import (
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

func describes(t *testing.T, w *world, s *client, card string) wire.Header {
	t.Helper()
	w.do(s, wire.Header{Op: wire.OpDescribe, Arg: uint32(len("$.A"))}, []byte("$.A"+card))
	h := wire.ParseHeader(s.Out())
	s.Sent(len(s.Out()))
	return h
}

// A card has to be read, and that is work of whoever sends it, whether it is one or not.
func TestCardsAreWork(t *testing.T) {
	w := newWorld(t, bus.Config{})
	s := w.open("A", 3)
	w.do(s, wire.Header{Op: wire.OpBind, Arg: 1}, []byte("$.A"))
	s.Sent(len(s.Out()))
	for _, card := range []string{`{"description": "` + strings.Repeat("x", 10_000) + `"}`, strings.Repeat("[", 10_000)} {
		w.e.bus.Worked()
		h := describes(t, w, s, card)
		if n := w.e.bus.Worked(); n < 10_000*stepsPerCardByte {
			t.Errorf("%d steps for %.20s, %v", n, card, h.Condition.Name())
		}
	}
}

// A card that is longer as it is kept than as it has come is refused by its own limit.
func TestCardIsTooLongAsKept(t *testing.T) {
	w := newWorld(t, bus.Config{})
	s := w.open("A", 3)
	w.do(s, wire.Header{Op: wire.OpBind, Arg: 1}, []byte("$.A"))
	s.Sent(len(s.Out()))
	card := `{"description": "` + strings.Repeat("\u2028", message.MaxCardBytes/3-10) + `"}`
	w.do(s, wire.Header{Op: wire.OpDescribe, Arg: uint32(len("$.A"))}, []byte("$.A"+card))
	h := wire.ParseHeader(s.Out())
	if why := string(s.Out()[wire.HeaderBytes:]); h.Condition != message.ErrMessageTooLong || !strings.Contains(why, "16384") {
		t.Errorf("%v %q", h.Condition.Name(), why)
	}
}
