package server

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"kbus/internal/bus"
	"kbus/internal/device"
	"kbus/internal/session"
	"kbus/internal/wire"
)

// A loop is one bus. It owns the bus, its Engine, its connections and its listening socket, and runs on one thread of
// its own: on the way of a message there is no lock, no channel and no second goroutine, and no memory is allocated.
//
// What it does in a turn: ask epoll what is ready, give each connection that is its turn (conn.go), then those that
// were left with requests in memory when their turn was used up. Whoever else wants something of the loop (a new limit,
// the end) posts a job and rings the bell, an eventfd; the loop looks at its jobs only when the bell rang (jobs.go).
type loop struct {
	number int
	server *Server
	log    *slog.Logger

	bus      *bus.Bus
	engine   *session.Engine
	accounts accounts

	epoll, bell int
	alarm       int // -1 until it is first set
	listener    listener
	events      [eventsPerTurn]unix.EpollEvent
	conns       []*conn // by descriptor
	generation  int32   // of the last connection accepted
	input       input
	device      *device.Device // nil: sockets only
	maxPayload  uint32
	ringBytes   int64 // of each ring of a connection; 0: no rings
	bodies      *bodies
	beginning   beginning // of the long message that is being handled

	unfinished []*conn // with requests in memory, for the next turn
	worked     []*conn // the other of the two slices

	stopping, finished bool

	jobs struct {
		sync.Mutex
		list []func()
	}
	pinged, turned atomic.Uint64 // see health.go
	ended          chan struct{} // closed by loopEnded
}

const (
	eventsPerTurn = 64

	// rawWait is how long a loop without work stays awake for the Go scheduler, in milliseconds. Messages that come in
	// that time save the hand-over of the processor; after it the loop sleeps properly.
	rawWait = 5
)

// newLoop makes a loop for a socket that listens already. It owns listenFD from now on, also when it fails.
func newLoop(s *Server, number, listenFD int, path string) (_ *loop, err error) {
	limits := s.config.Limits
	bodies := s.makeBodies(number)
	l := &loop{
		number: number, server: s, log: s.log.With("bus", number),
		bus: bus.New(bus.Config{
			MaxMessageBytes:    uint32(limits.MessageBytes),
			AbsMaxMessageBytes: uint32(limits.MessageBytesCeiling),
			MaxMessages:        uint32(limits.QueueMessages),
			MaxSetAside:        limits.SetAside,
			Limits:             limits.forBus(),
			Incarnation:        1 + rand.Uint32N(1<<32-1),
			Keeper:             bodies.keeper(),
		}),
		accounts:   accounts{limits: limits, users: map[uint32]*account{}},
		maxPayload: wire.MaxRequestBytes(uint32(limits.MessageBytesCeiling)),
		epoll:      -1, bell: -1, alarm: -1,
		ended:    make(chan struct{}),
		listener: listener{fd: listenFD, path: path, reserve: -1},
	}
	l.engine = session.NewEngine(uint32(number), l.bus, s)
	l.engine.Grant(l.grant)
	l.engine.Permit(s.mayJoin)
	l.engine.Alarm(l.setAlarm)
	if s.config.Federated.Has(number) {
		l.engine.RequireFederator()
	}
	l.ringBytes, l.bodies = s.config.RingBytes, bodies
	defer func() {
		if err != nil {
			l.closeDescriptors()
			err = fmt.Errorf("bus %d: %w", number, err)
		}
	}()
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if l.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	if err = l.listener.holdReserve(); err != nil {
		return nil, err
	}
	if err = l.attachDevice(s.device); err != nil {
		return nil, err
	}
	for _, fd := range [...]int{l.bell, listenFD, l.deviceFD()} {
		if fd < 0 {
			continue
		}
		if err = l.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN, 0); err != nil {
			return nil, fmt.Errorf("epoll: %w", err)
		}
	}
	return l, nil
}

func (l *loop) control(op, fd int, events uint32, generation int32) error {
	return unix.EpollCtl(l.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd), Pad: generation})
}

// run is the loop. It returns when the bus has ended.
func (l *loop) run() {
	runtime.LockOSThread() // and never unlocked: the thread ends with the loop
	for !l.finished {
		for i := range l.events[:l.wait()] {
			l.event(&l.events[i])
		}
		l.finishTurns()
		if l.bodies != nil && l.bodies.short {
			l.makeRoom()
			l.wakeOthers()
		}
		if l.listener.fd >= 0 && l.listener.reserve < 0 {
			l.descriptorsMayBeBack()
		}
		if l.stopping && !l.finished && l.engine.Drained() {
			l.finish()
		}
	}
}

// wait gives the number of events.
func (l *loop) wait() int {
	if len(l.unfinished) > 0 {
		return waitRaw(l.epoll, l.events[:], 0)
	}
	if n := waitRaw(l.epoll, l.events[:], rawWait); n > 0 {
		return n
	}
	l.input.rest()
	return waitIdle(l.epoll, l.events[:], l.listener.patience())
}

func (l *loop) event(e *unix.EpollEvent) {
	switch fd := int(e.Fd); fd {
	case l.bell:
		l.work()
	case l.listener.fd:
		l.acceptSome()
	case l.deviceFD():
		l.serveDevice()
	case l.alarm:
		l.rang()
	default:
		// The descriptor may have been closed, and used again, since epoll saw the event.
		if fd >= len(l.conns) || l.conns[fd] == nil || l.conns[fd].generation != e.Pad {
			return
		}
		if c := l.conns[fd]; fd == c.fd {
			l.ready(c, e.Events)
		} else {
			l.rung(c)
		}
	}
}

// finishTurns gives another turn to those that were left with requests in memory.
func (l *loop) finishTurns() {
	if len(l.unfinished) == 0 {
		return
	}
	l.unfinished, l.worked = l.worked[:0], l.unfinished
	for i, c := range l.worked {
		l.worked[i] = nil
		c.unfinished = false
		if !c.ended {
			l.turn(c, true)
		}
	}
}
