package transport

import (
	"io"
	"time"

	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/wire"
)

// inproc is a Link to a bus in this process: the same frames, handed over under the lock of the Buses.
type inproc struct {
	buses   *Buses
	engine  *session.Engine
	session *session.Session // nil when the connection has ended
	ended   bool             // the bus takes no more from us; what it has said can be received
	ready   chan struct{}    // holds one token: look again
}

func (l *inproc) Send(p []byte) (int, error) {
	l.buses.mu.Lock()
	defer l.buses.mu.Unlock()
	sent := 0
	for l.session != nil && !l.ended && sent < len(p) && !l.session.Busy() {
		h, payload, n, err := wire.Split(p[sent:], wire.MaxResultBytes)
		if err == nil {
			err = l.session.Handle(h, payload)
		}
		l.ended = err != nil
		sent += n
	}
	if l.session == nil {
		return 0, io.ErrClosedPipe
	}
	if l.ended || len(l.session.Out()) > 0 {
		l.Poke()
	}
	notifyOthers(l.engine)
	return sent, nil
}

func (l *inproc) Recv(p []byte, room bool) (int, error) {
	for looked := false; ; looked = true {
		n, found, err := l.look(p, room)
		if found || err != nil || looked {
			return n, err
		}
		<-l.ready
	}
}

// look receives what is there. It reports false when there is nothing to do but wait.
func (l *inproc) look(p []byte, room bool) (n int, found bool, err error) {
	l.buses.mu.Lock()
	defer l.buses.mu.Unlock()
	if l.session == nil {
		return 0, false, io.EOF
	}
	if n = copy(p, l.session.Out()); n > 0 {
		l.session.Sent(n)
		l.engine.Pump()
		notifyOthers(l.engine)
		return n, true, nil
	}
	if l.ended {
		l.leave()
		return 0, false, io.EOF
	}
	return 0, room && !l.session.Busy(), nil
}

// notifyOthers leaves a token for everybody who has something to receive now.
func notifyOthers(e *session.Engine) {
	for _, s := range e.Dirty() {
		s.Tag.(*inproc).Poke()
	}
}

func (l *inproc) Poke() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

func (l *inproc) HangUp(time.Duration) { l.Drop() }

func (l *inproc) Drop() {
	l.buses.mu.Lock()
	defer l.buses.mu.Unlock()
	l.leave()
}

// leave closes the Ksock (R6.7).
func (l *inproc) leave() {
	if l.session != nil {
		delete(l.buses.links, l)
		l.engine.Disconnect(l.session)
		l.session = nil
		notifyOthers(l.engine)
	}
}
