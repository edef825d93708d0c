package loop

import (
	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// window is the front of a Ksock's queue as its client sees it, in the connection's segment (bus.Window). A client
// that spoils the words of its window has taken nothing and is shown nothing any more, and its connection ends in its
// next turn.
type window struct {
	loop *Loop
	conn *conn
	ring *ring.Window

	wanting bool // the client will ring when it takes a message that somebody waits for
}

func (w *window) spoiled() bool { return w.conn.rings.spoiled != nil }

func (w *window) check(err error) {
	if err != nil {
		w.loop.spoil(w.conn, err)
	}
}

func (w *window) Taken() int {
	if w.spoiled() {
		return 0
	}
	n, err := w.ring.Taken()
	w.check(err)
	return n
}

func (w *window) Shown() int {
	if w.spoiled() {
		return 0
	}
	return w.ring.Shown()
}

func (w *window) Withdraw() {
	if !w.spoiled() {
		w.check(w.ring.Withdraw())
	}
}

// Show copies the message as a frame would carry it (wire.AppendMessage).
func (w *window) Show(h *message.Header, name, data []byte, missed uint32, trace []byte) bool {
	if w.spoiled() {
		return false
	}
	f := wire.Following{Missed: missed, Trace: trace}
	if at, ok := w.loop.bodies.offset(w.conn, data); ok {
		return w.showBody(at, h, name, len(data), &f)
	}
	n := wire.MessageBytes(len(name), len(data)) + f.Bytes()
	p := w.ring.Stage(n)
	if p == nil {
		return false
	}
	if b := f.Append(wire.AppendMessage(p[:0], h, name, data)); len(b) != n {
		panic("server: a message of another length than it says")
	}
	w.conn.rings.changed = true
	return true
}

func (w *window) Publish() {
	if !w.spoiled() {
		w.check(w.ring.Publish())
	}
}

func (w *window) More(more bool) {
	if !w.spoiled() && w.ring.More(more) && more {
		w.conn.rings.changed = true
	}
}

func (w *window) Want() bool {
	w.wanting = true
	return w.spoiled() || w.ring.Want()
}
