// Package loop is one bus of the daemon: its event loop, its connections and their rings, and what they may hold. The
// process around it is its Host.
//
// The files: loop.go is the event loop, conn.go and requests.go are one connection's turn in it, accept.go lets
// connections in and end.go throws them out, rings.go, window.go and bodies.go are memory that a client shares, and
// accounts.go counts what connections hold. A Loop is made of parts: home.go, poller.go, connections.go, memory.go,
// schedule.go and jobs.go.
package loop

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/wire"
)

// A Loop is one bus. It owns the bus, its Engine, its connections and its listening socket, and runs on one thread of
// its own: on the way of a message there is no lock, no channel and no second goroutine, and no memory is allocated.
//
// What it does in a turn: ask epoll what is ready, give each connection that is its turn (conn.go), then those that
// were left with requests in memory when their turn was used up. Other goroutines that want something of the loop (a
// new limit, the end) post a job and ring the bell, an eventfd; the loop looks at its jobs only when the bell rang
// (jobs.go).
type Loop struct {
	home     // the process around it
	bus      *bus.Bus
	engine   *session.Engine
	accounts accounts
	ruling   ruling

	poller      // what it waits for
	listener    listener
	device      *device.Device // nil: sockets only
	connections                // who is connected
	memory                     // what their bytes lie in
	schedule                   // whose turn it is
	jobs        jobs           // what others want of it
}

const (
	// rawWait is how long a loop without work stays awake for the Go scheduler, in milliseconds. Messages that come in
	// that time save the hand-over of the processor; after it the loop sleeps properly.
	rawWait = 5

	// sweepPerTurn is how many of the messages that Unbind and Close have thrown away are freed in a turn.
	sweepPerTurn = 256
)

// New makes the loop of a bus; Run runs it. It owns config.Socket from now on, also when it fails.
func New(config Config) (_ *Loop, err error) {
	limits := config.Limits
	bodies := makeBodies(&config)
	theBus, ksocks, err := makeBus(&config, bodies)
	if err != nil {
		bodies.close()
		return nil, err
	}
	l := &Loop{
		home:     home{number: config.Number, host: config.Host, log: config.Log},
		bus:      theBus,
		accounts: accounts{limits: limits, users: map[uint32]*account{}},
		memory: memory{
			ringBytes: config.RingBytes, bodies: bodies,
			maxPayload: wire.MaxRequestBytes(uint32(limits.MessageBytesCeiling)),
		},
		poller:   poller{epoll: -1, bell: -1, alarm: -1},
		listener: listener{Socket: config.Socket, reserve: -1},
	}
	l.engine = session.NewEngine(uint32(l.number), l.bus, l.host)
	l.engine.InPieces()
	l.engine.Grant(l.grant)
	l.engine.Permit(l.host.MayJoin)
	l.engine.Explain(l.host.Explain)
	l.engine.SetTaps(session.Taps{May: mayTap, Afford: affordTap(l), Clock: (&tapClock{began: time.Now()}).read, Lazy: true})
	l.bus.SetAdministrators(func(o bus.Owner) bool { return o.Administrator })
	l.engine.Alarm(l.setAlarm)
	if config.Federated {
		l.engine.RequireFederator()
	}
	l.ruling = newRuling(config.Rules)
	l.bus.SetStartable(config.Startable)
	l.bodies.setClosed(!l.ruling.none())
	defer func() {
		if err != nil {
			l.Close()
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
	if config.Resume == nil {
		err = l.attachDevice(config.Device)
	} else if err = resume(l, &config, ksocks); err == nil {
		l.bus.CallAgain() // its host has heard nothing yet
	}
	if err != nil {
		return nil, err
	}
	l.bus.SetRuled(!l.ruling.none())
	for _, fd := range [...]int{l.bell, l.listener.FD, l.deviceFD()} {
		if fd < 0 {
			continue
		}
		if err = l.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN, 0); err != nil {
			return nil, fmt.Errorf("epoll: %w", err)
		}
	}
	return l, nil
}

// Run is the loop. It returns when the bus has ended.
func (l *Loop) Run() {
	runtime.LockOSThread() // and never unlocked: the thread ends with the loop
	for !l.finished {
		n := l.wait()
		if n > 0 {
			l.keepAwake()
		}
		if l.listener.closed && (n == 0 || l.turns >= l.listener.opens) {
			l.listener.openDoor(l)
		}
		l.serveLate()
		for i := range l.events[:n] {
			l.event(&l.events[i])
		}
		l.finishTurns()
		l.crowd.wakeSome(l, l.crowd.some())
		resumeSome(l)
		moveIn(l)
		l.dozePeers()
		if l.bus.Sweep(sweepPerTurn) || l.bus.Untried() {
			l.wakeOthers()
		}
		if l.bodies != nil && l.bodies.short {
			l.makeRoom()
			l.wakeOthers()
		}
		if l.listener.FD >= 0 && l.listener.reserve < 0 {
			l.descriptorsMayBeBack()
		}
		if l.stopping && !l.finished && l.engine.Drained() {
			l.Finish()
		}
		if h := l.jobs.hold; h != nil && h.isTime(l.bus.Littered()) {
			standStill(l)
		}
	}
}

// wait gives the number of events.
func (l *Loop) wait() int {
	if len(l.unfinished)+len(l.late)+l.resumed.len()+l.crowd.len() > 0 || l.movedIn != nil || l.bus.Littered() || l.bus.Untried() || l.listener.closed {
		return waitRaw(l.epoll, l.events[:], 0)
	}
	if n := waitRaw(l.epoll, l.events[:], rawWait); n > 0 {
		return n
	}
	l.input.rest()
	l.giveBack()
	if l.flushTaps(); len(l.unfinished) > 0 {
		return waitRaw(l.epoll, l.events[:], 0)
	}
	return waitIdle(l.epoll, l.events[:], l.listener.patience())
}

func (l *Loop) event(e *unix.EpollEvent) {
	switch fd := int(e.Fd); fd {
	case l.bell:
		l.work()
	case l.listener.FD:
		l.acceptSome(true)
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
func (l *Loop) finishTurns() {
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
