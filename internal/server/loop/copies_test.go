package loop

import (
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// How often the data of a large message is copied, in bytes that no noise touches: once by its sender, into its ring, and
// once by the daemon, into the arena, for however many get it. Their rings and windows have only where it lies.
func TestCopiesOfABody(t *testing.T) {
	const size, besides = 64 << 10, 256 // besides: header, name and frame
	b := start(t, nil)
	sender := b.openLog()
	var listeners []*rawclient.Client
	for range 8 {
		listeners = append(listeners, b.openLog())
		listeners[len(listeners)-1].Bind("$.Body", false)
	}
	heads := map[*rawclient.Client]uint32{}
	for _, l := range listeners {
		heads[l] = l.Rings.Head
	}
	tail := sender.Rings.Tail
	sender.Must(wire.OpSendMessage, 0, announcement("$.Body", numbered(1, size)))
	if n := sender.Rings.Tail - tail; n < size || n > size+besides {
		t.Errorf("the sender has written %d bytes", n)
	}
	b.on(func(l *Loop) {
		l.makeRoom()
		if n := l.bodies.arena.Bytes() - l.bodies.arena.Free(); n != size {
			t.Errorf("the daemon has %d bytes in the arena", n)
		}
	})
	for i, l := range listeners {
		if m := b.next(l); string(m.Data) != numbered(1, size) {
			t.Fatalf("listener %d got %d bytes, or others than were sent", i, len(m.Data))
		}
		if n := l.Rings.Head - heads[l]; n > besides || l.Rings.InArena != 1 {
			t.Errorf("listener %d: %d bytes came through its ring, %d messages through the arena", i, n, l.Rings.InArena)
		}
	}
	b.wholeLog()
}
