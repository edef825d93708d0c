package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A long report is never in one place of memory, and comes out as if it were: however much of it is taken at a time, and also when the
// bus ends meanwhile, or is handed over.
func TestLongReport(t *testing.T) {
	const bindings = 1000 // of a thousand bytes each
	e := NewEngine(0, bus.New(bus.Config{}), nil)
	s := e.Connect(Peer{UID: 1})
	say(t, s, wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	for i := range bindings {
		say(t, s, wire.OpBind, 0, fmt.Appendf(nil, "$.N%s%d", strings.Repeat("x", 900), i))
		s.Sent(len(s.Out()))
	}
	e.InPieces()
	take := func(most int) (got []byte) {
		for len(s.Out()) > 0 {
			n := min(most, len(s.Out()))
			got = append(got, s.Out()[:n]...)
			s.Sent(n)
		}
		return got
	}
	ask := func() {
		say(t, s, wire.OpBindingsReport, 0, nil)
		for s.Reporting() {
			if held := s.HeldBytes(); held > 2*bindings*1000 {
				t.Fatalf("%d bytes held", held)
			}
			s.Continue()
		}
		if n := len(s.Out()); n > 2*pieceBytes {
			t.Errorf("%d bytes in one place", n)
		}
		if !s.Busy() || s.HeldBytes() < bindings*900-2*pieceBytes {
			t.Errorf("busy %v, %d bytes held", s.Busy(), s.HeldBytes())
		}
	}
	ask()
	whole := take(1 << 30)
	if h := wire.ParseHeader(whole); int(h.PayloadBytes) != len(whole)-wire.HeaderBytes || h.PayloadBytes < bindings*900 || h.Condition != message.OK {
		t.Fatalf("%d bytes, and the header says %+v", len(whole), h)
	}
	if s.Busy() || s.HeldBytes() != 0 {
		t.Errorf("busy %v, %d bytes held when all is taken", s.Busy(), s.HeldBytes())
	}
	ask()
	if got := take(777); !bytes.Equal(got, whole) {
		t.Error("taken bit by bit it is another")
	}
	ask()
	handedOver, _, err := StateOf(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := handedOver.Sessions[0].Out; !bytes.Equal(got, whole) {
		t.Errorf("%d bytes of %d are handed over", len(got), len(whole))
	}
	s.Sent(wire.HeaderBytes) // which is first
	s.Sent(1000 - wire.HeaderBytes)
	e.Stop()
	got := take(1 << 30)
	if !bytes.Equal(got[:len(whole)-1000], whole[1000:]) {
		t.Error("the end of the bus comes into the midst of it")
	}
	if last := wire.ParseHeader(got[len(whole)-1000:]); last.Op != wire.OpStopping || len(got) != len(whole)-1000+wire.HeaderBytes {
		t.Errorf("behind it comes %+v", last)
	}
}
