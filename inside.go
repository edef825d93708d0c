package kbus

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kbus/internal/bus"
	"kbus/internal/session"
	"kbus/internal/wire"
	"kbus/message"
)

// A house is buses inside this process, as a daemon has them. One lock guards them all: what is done under it is what a
// daemon's loop does between two waits, a microsecond or so, and never waits for anything. There is no goroutine; each
// caller does its own work on the bus, and leaves a token for those to whom it has brought something.
type house struct {
	mu     sync.Mutex
	config bus.Config
	rooms  []*session.Engine
	closed bool
	links  map[*insideLink]struct{}
}

// maxBuses is how many buses there can be (R3.81).
const maxBuses = 256

// NewBus adds one, as file.Host for the engines. mu is held: only a request can ask for it.
func (h *house) NewBus() (uint32, message.Condition) {
	number := uint32(len(h.rooms))
	if number == maxBuses {
		return 0, message.ErrTooManyBuses
	}
	h.add()
	return number, message.OK
}

// add makes the next bus. mu is held.
func (h *house) add() {
	config := h.config
	config.Incarnation = 1 + rand.Uint32N(1<<32-1)
	e := session.NewEngine(uint32(len(h.rooms)), bus.New(config), h)
	e.Alarm(h.alarm(e))
	h.rooms = append(h.rooms, e)
}

// alarm has an engine Lapse at the moment that it says, under the lock.
func (h *house) alarm(e *session.Engine) func(at uint64) message.Condition {
	var due uint64
	timer := time.NewTimer(0)
	return func(at uint64) message.Condition {
		timer.Stop()
		if due = at; at == 0 {
			return message.OK
		}
		timer = time.AfterFunc(time.Duration(at)-SinceBoot(), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if due == at {
				e.Lapse()
				e.Settle()
				tellOthers(e)
			}
		})
		return message.OK
	}
}

// enter connects to one of the buses.
func (h *house) enter(number uint32) (*insideLink, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, message.ErrBusGone
	case int64(number) >= int64(len(h.rooms)):
		return nil, message.ErrNoSuchBus
	}
	l := &insideLink{house: h, engine: h.rooms[number], ready: make(chan struct{}, 1)}
	l.session = l.engine.Connect(session.Peer{
		UID:     uint32(os.Getuid()),
		PID:     uint32(os.Getpid()),
		Program: filepath.Base(os.Args[0]),
	})
	l.session.Tag = l
	h.links[l] = struct{}{}
	return l, nil
}

// close ends all buses as when a daemon dies.
func (h *house) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.links {
		l.leave()
		l.poke()
	}
}

// insideLink is a connection to a bus in this process: the same frames, handed over under the house's lock.
type insideLink struct {
	house   *house
	engine  *session.Engine
	session *session.Session // nil when the connection has ended
	ended   bool             // the bus takes no more from us; what it has said can be received
	ready   chan struct{}    // holds one token: look again
}

func (l *insideLink) send(p []byte) (int, error) {
	l.house.mu.Lock()
	defer l.house.mu.Unlock()
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
		l.poke()
	}
	tellOthers(l.engine)
	return sent, nil
}

func (l *insideLink) recv(p []byte, room bool) (int, error) {
	for looked := false; ; looked = true {
		n, found, err := l.look(p, room)
		if found || err != nil || looked {
			return n, err
		}
		<-l.ready
	}
}

// look receives what is there. It reports false when there is nothing to do but wait.
func (l *insideLink) look(p []byte, room bool) (n int, found bool, err error) {
	l.house.mu.Lock()
	defer l.house.mu.Unlock()
	if l.session == nil {
		return 0, false, io.EOF
	}
	if n = copy(p, l.session.Out()); n > 0 {
		l.session.Sent(n)
		l.engine.Settle()
		tellOthers(l.engine)
		return n, true, nil
	}
	if l.ended {
		l.leave()
		return 0, false, io.EOF
	}
	return 0, room && !l.session.Busy(), nil
}

// tellOthers leaves a token for everybody who has something to receive now.
func tellOthers(e *session.Engine) {
	for _, s := range e.Dirty() {
		s.Tag.(*insideLink).poke()
	}
}

func (l *insideLink) poke() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

func (l *insideLink) hangUp() { l.drop() }

func (l *insideLink) drop() {
	l.house.mu.Lock()
	defer l.house.mu.Unlock()
	l.leave()
}

// leave closes the Ksock (R6.7).
func (l *insideLink) leave() {
	if l.session != nil {
		delete(l.house.links, l)
		l.engine.Disconnect(l.session)
		l.session = nil
		tellOthers(l.engine)
	}
}
