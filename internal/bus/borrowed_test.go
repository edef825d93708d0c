package bus_test

import (
	"bytes"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/message"
)

// TestMovedIn: a bus that was made from a state has its messages where that has them, until it has copied them; what is released, and
// used again for another message, is not touched.
func TestMovedIn(t *testing.T) {
	b := bus.New(bus.Config{})
	k, _ := b.Open(bus.Owner{})
	b.Bind(k, "$.A", false)
	const messages, length = 20, 1000
	for i := range messages {
		b.Send(k, &message.Header{}, []byte("$.A"), bytes.Repeat([]byte{byte(i)}, length))
	}
	b.Send(k, &message.Header{}, []byte("$.A"), []byte("short"))
	state := form.Append(nil, 1, must(bus.StateOf(b)).Code)
	var got bus.State
	got.Code(form.Reader(1, state))
	b, ksocks := must2(bus.FromState(&got, bus.Config{}))
	k = ksocks[0]
	if !bus.Borrows(b) {
		t.Fatal("all has been copied at once")
	}
	next := func(want byte) {
		t.Helper()
		d, ok := b.Next(k)
		if !ok || len(d.Data) != length || bytes.Count(d.Data, []byte{want}) != length {
			t.Errorf("message %d is %d bytes, not all its own", want, len(d.Data))
		}
		b.Release(&d)
	}
	next(0)
	next(1)
	b.Send(k, &message.Header{}, []byte("$.A"), bytes.Repeat([]byte{100}, length)) // in the place of one of those
	pieces := 0
	for bus.Borrows(b) {
		bus.MoveIn(b, 3*length)
		pieces++
	}
	if pieces < 6 {
		t.Errorf("it was copied in %d pieces", pieces)
	}
	clear(state)
	for i := 2; i < messages; i++ {
		next(byte(i))
	}
	if d, ok := b.Next(k); !ok || string(d.Data) != "short" {
		t.Errorf("the short one is %q", d.Data)
	}
	next(100)
	bus.MoveIn(b, 1)
}
