package transport

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/message"
)

// Buses are buses inside this process, as a daemon has them. One lock guards them all: what is done under it is what a
// daemon's loop does between two waits, a microsecond or so, and never waits for anything. There is no goroutine; each
// caller does its own work on the bus, and leaves a token for those to whom it has brought something.
type Buses struct {
	now     func() time.Duration // the clock of the machine
	mu      sync.Mutex
	config  bus.Config
	engines []*session.Engine
	closed  bool
	links   map[*inproc]struct{}
}

// NewBuses makes number 0. now is the clock by which a federator vouches.
func NewBuses(config bus.Config, now func() time.Duration) *Buses {
	b := &Buses{now: now, config: config, links: map[*inproc]struct{}{}}
	b.add()
	b.config.FirstKsock = 0 // that was number 0's
	return b
}

// Has reports whether there is a bus of that number.
func (b *Buses) Has(number uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint64(number) < uint64(len(b.engines))
}

// maxBuses is how many buses there can be (R3.81).
const maxBuses = 256

// NewBus adds one, as file.Host for the engines. mu is held: only a request can ask for it.
func (b *Buses) NewBus(bus.Owner) (uint32, message.Condition) {
	number := uint32(len(b.engines))
	if number == maxBuses {
		return 0, message.ErrTooManyBuses
	}
	b.add()
	return number, message.OK
}

// add makes the next bus. mu is held.
func (b *Buses) add() {
	config := b.config
	config.Incarnation = 1 + rand.Uint32N(1<<32-1)
	e := session.NewEngine(uint32(len(b.engines)), bus.New(config), b)
	e.Alarm(b.alarm(e))
	e.SetTaps(session.Taps{Clock: func() (boot, wall int64) { return int64(b.now()), time.Now().UnixNano() }})
	b.engines = append(b.engines, e)
}

// alarm has an engine Lapse at the moment that it says, under the lock.
func (b *Buses) alarm(e *session.Engine) func(at uint64) message.Condition {
	var due uint64
	timer := time.NewTimer(0)
	return func(at uint64) message.Condition {
		timer.Stop()
		if due = at; at == 0 {
			return message.OK
		}
		timer = time.AfterFunc(time.Duration(at)-b.now(), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if due == at {
				e.Lapse()
				e.Pump()
				notifyOthers(e)
			}
		})
		return message.OK
	}
}

// Connect makes a Link to one of the buses. ErrBusGone after Close, ErrNoSuchBus if there is none of that number.
func (b *Buses) Connect(number uint32) (Link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, message.ErrBusGone
	case int64(number) >= int64(len(b.engines)):
		return nil, message.ErrNoSuchBus
	}
	l := &inproc{buses: b, engine: b.engines[number], ready: make(chan struct{}, 1)}
	l.session = l.engine.Connect(session.Peer{
		UID:     uint32(os.Getuid()),
		GID:     uint32(os.Getgid()),
		PID:     uint32(os.Getpid()),
		Program: filepath.Base(os.Args[0]),
	})
	l.session.Tag = l
	b.links[l] = struct{}{}
	return l, nil
}

// Close ends all buses as when a daemon dies.
func (b *Buses) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for l := range b.links {
		l.leave()
		l.Poke()
	}
}
