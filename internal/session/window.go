package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
)

// A window (bus.Window) is how a transport shows a client the front of its queue, so that it can take messages without
// asking (package ring). The session fills it when the Engine pumps, after all waiting requests have been answered: who
// asks comes first.

// SetWindow gives a session a window, which must be empty. Without a Ksock to read from it is not used.
func (s *Session) SetWindow(w bus.Window) {
	if s.ksock != nil && s.mode&wire.ModeRead != 0 {
		s.window = w
		s.engine.bus.SetWindow(s.ksock, w)
	}
}

// WindowTaken is to be called when the client may have taken messages and a sender waits for their room, see bus.Window.
func (s *Session) WindowTaken() {
	if s.window != nil && !s.closed {
		s.engine.bus.SyncWindow(s.ksock)
		s.engine.change(s)
		s.engine.Pump()
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
	if b.Purging(s.ksock) {
		return
	}
	b.SyncWindow(s.ksock)
	more := s.ksock.HasSetAside()
	for shown := w.Shown(); ; shown++ {
		name, data, missed, trace, ok := b.Queued(s.ksock, shown, h)
		if !ok {
			break
		}
		f := s.marks.Put(h, missed, trace)
		if !w.Show(h, name, data, f.Missed, f.Trace) {
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
