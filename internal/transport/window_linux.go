package transport

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The window of the queue (package client says what it is for), in the ring. The data of a large message lies in the arena of
// the bus, and what has come through the window only says where.

// Take takes the first message of the window, and its data where that lies.
func (l *rings) Take(h *message.Header, most uint32, marks wire.Marks) (name, data []byte, f wire.Following, ok bool, err error) {
	payload, ok, err := l.taker.Take(most)
	if !ok || err != nil {
		return nil, nil, f, ok, err
	}
	if !l.taker.InArena() {
		name, data, rest, whole := wire.ParseMessage(payload, h)
		if whole {
			f, _, whole = marks.Cut(h, rest)
		}
		if !whole {
			return nil, nil, f, false, unexpected("a message in the window")
		}
		return name, data, f, true, nil
	}
	name, dataLen, f, at, whole := wire.ParseReference(payload, h, marks)
	if !whole || l.arena == nil {
		return nil, nil, f, false, unexpected("a message in the window")
	}
	data, err = l.arena.Body(at, int(dataLen))
	return name, data, f, err == nil, err
}

func (l *rings) InArena() bool { return l.taker.InArena() }

func (l *rings) Keep() (number uint32, awaited bool) {
	l.arena.Use()
	number, awaited = l.taker.Retain()
	if awaited {
		l.ring()
	}
	return number, awaited
}

func (l *rings) GiveBack(number uint32, lasts bool) {
	if lasts { // otherwise the segment may be gone
		l.taker.ReleaseRetained(number)
	}
	l.arena.Close()
}

// toTake reports whether there is something for somebody who waits for a message.
func (l *rings) toTake() bool { return l.waited.Load() && (!l.taker.Empty() || l.taker.More()) }

func (l *rings) Held() uint32 { return l.taker.Held() }

func (l *rings) Release() (awaited bool) {
	if awaited = l.taker.Release(); awaited {
		l.ring()
	}
	return awaited
}

func (l *rings) Empty() bool { return l.taker.Held() == 0 && l.taker.Empty() && !l.taker.More() }

func (l *rings) More() bool { return l.taker.More() }

func (l *rings) Expect(message bool) { l.waited.Store(message) }
