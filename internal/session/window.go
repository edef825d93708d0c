package session

import (
	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// Window is how a transport shows a client the front of its queue, so that it can take messages without asking (package
// ring). The bus asks it what has been taken; the session fills it when the Engine settles, after all waiting requests
// have been answered: who asks comes first.
type Window interface {
	bus.Window

	// Show adds a message behind those shown. It reports false when there is no room for it now.
	Show(h *message.Header, name, data []byte) bool

	// Publish makes what was added visible to the client.
	Publish()

	// More tells the client that there is more than it is shown, so that it asks when the window is empty.
	More(more bool)

	// Want has the client ring when it next takes a message; Took must follow. It reports false when the client has taken
	// one already.
	Want() bool
}

// SetWindow gives a session a window, which must be empty. Without a Ksock to read from it is not used.
func (s *Session) SetWindow(w Window) {
	if s.ksock != nil && s.mode&wire.ModeRead != 0 {
		s.window = w
		s.engine.bus.SetWindow(s.ksock, w)
	}
}

// Took is to be called when the client may have taken messages that somebody waits for, see Window.Want.
func (s *Session) Took() {
	if s.window != nil && !s.closed {
		s.engine.bus.Settle(s.ksock)
		s.engine.change(s)
		s.engine.Settle()
	}
}

// show brings the window up to date. While the session is Busy nothing is shown, since a waiting Call might not have
// had its answer taken out of the queue.
func (s *Session) show() {
	w := s.window
	if w == nil || s.closed || s.ended != nil || s.Busy() {
		return
	}
	b, h := s.engine.bus, &s.engine.header
	b.Settle(s.ksock)
	more := s.ksock.HasSetAside()
	for shown := w.Shown(); ; shown++ {
		name, data, ok := b.Queued(s.ksock, shown, h)
		if !ok {
			break
		}
		if !w.Show(h, name, data) {
			more = true
			break
		}
	}
	w.Publish()
	w.More(more)
	if b.Awaited(s.ksock) && !w.Want() {
		s.engine.change(s)
	}
	s.engine.touched(s)
}
