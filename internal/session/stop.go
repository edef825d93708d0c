package session

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A bus ends in order: no new Requests and no new clients; every Request that is outstanding still gets its Reply or
// Status, and what is queued can be read. When all that is done the bus has Drained. The owner of the Engine decides
// how long to wait for it.

// Stop begins the end: new Requests get ErrStopping, and every client is sent the event Stopping. A second Stop does
// nothing.
func (e *Engine) Stop() {
	if e.stopping {
		return
	}
	e.stopping = true
	e.bus.Stop()
	for _, s := range e.sessions {
		if s.greeted && s.ended == nil {
			s.result(wire.Header{Op: wire.OpStopping}, message.OK, 0)
		}
	}
	e.Pump()
}

// Drained reports whether no client waits for anything any more: no Request is outstanding, nothing is queued, no
// message is being read piece by piece, and all results have been sent. It looks at every Ksock, so it is for use after
// Stop only.
func (e *Engine) Drained() bool {
	for k := range e.bus.Ksocks() {
		if i := k.Info(); i.Outstanding > 0 || i.Queued > 0 || i.SetAside > 0 {
			return false
		}
		if f := fileOf(k); f != nil && f.LenLeft() > 0 {
			return false
		}
	}
	for _, s := range e.sessions {
		if len(s.Out()) > 0 {
			return false
		}
	}
	return true
}
