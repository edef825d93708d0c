package server

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/server/loop"
	"kbus.example/kbus/internal/sock"
	"kbus.example/kbus/message"
)

// Buses are numbered from 0 and only ever added (R1.1, R1.4): at the start, by a client, or by a reload. A client
// learns the number of a new bus only when its socket listens and its loop runs.

// additions is the buses that users have made.
type additions struct {
	made  map[uint32]int // how many, by user
	noBus string         // why the last could not be made, until somebody has been told
}

// served is one bus as the process holds it: its loop, and what is in the file system for it.
type served struct {
	*loop.Loop
	number int
	log    *logger.Logger
	file   mine          // its socket, guarded by the server's mu; none when that was handed over
	given  mine          // the socket that was handed over, for the same
	ended  chan struct{} // closed when the loop has ended
}

// add makes the loop of the next bus, on the socket given for it or on one of its own. It does not run yet.
func (s *Server) add(number int, given map[int]int) error {
	bus := &served{number: number, log: s.log.With("bus", number), ended: make(chan struct{})}
	socket := loop.Socket{FD: -1}
	if fd, isGiven := given[number]; isGiven {
		delete(given, number)
		if err := unix.SetNonblock(fd, true); err != nil {
			unix.Close(fd)
			return fmt.Errorf("bus %d: %w", number, err)
		}
		if path, err := sock.Path(fd); err == nil {
			if made, err := madeNow(path); err == nil {
				bus.given = made
			}
		}
		socket.FD = fd
	} else {
		var err error
		if socket, bus.file, err = s.listen(number); err != nil {
			return err
		}
	}
	var err error
	if bus.Loop, err = loop.New(loopConfig(s, bus, socket)); err != nil {
		return fmt.Errorf("bus %d: %w", number, err)
	}
	s.buses = append(s.buses, bus)
	return nil
}

// loopConfig is what the settings say of a bus.
func loopConfig(s *Server, bus *served, socket loop.Socket) loop.Config {
	return loop.Config{
		Number: bus.number, Socket: socket, Host: host{s, s.starter}, Log: bus.log,
		RingBytes: s.config.RingBytes, ArenaBytes: s.config.ArenaBytes,
		Federated: s.config.Federated.Has(bus.number), Device: s.device, Limits: s.config.Limits, Rules: s.config.Rules.Set,
		Startable: s.starter.Names(bus.number),
	}
}

// run is one bus from its beginning to its end.
func (s *Server) run(bus *served) {
	bus.Run()
	s.busEnded(bus)
}

// listen makes the socket of a bus in the runtime directory.
func (s *Server) listen(bus int) (loop.Socket, mine, error) {
	socket, file, err := listenOn(rundir.SocketPath(s.config.Dir, uint32(bus)), s.config.SocketMode, s.group)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("the runtime directory %s is gone; SIGHUP has kbusd make it anew", s.config.Dir)
	}
	return socket, file, err
}

// NewBus adds a bus, the next in number, and runs it (R3.81, F19): OK, ErrNotAdministrator, ErrTooManyBuses at
// limits.buses, ErrUserBuses at limits.new-buses-per-user, ErrStopping while the server ends, ErrNoMemory when the system
// lacks something, which the log then names.
func (s *Server) NewBus(by bus.Owner) (number uint32, c message.Condition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.buses)
	switch {
	case s.stopping:
		return 0, message.ErrStopping
	case !by.Administrator:
		return 0, message.ErrNotAdministrator
	case n >= s.config.Limits.Buses:
		return 0, message.ErrTooManyBuses
	case !isOwner(by.UID) && s.config.Limits.NewBusesPerUser != 0 && s.made[by.UID] >= s.config.Limits.NewBusesPerUser:
		return 0, message.ErrUserBuses
	}
	if err := s.grow(n + 1); err != nil {
		s.log.Error("no new bus", "error", err)
		s.noBus = err.Error()
		return 0, message.ErrNoMemory
	}
	s.made[by.UID]++
	s.log.Info("bus made by a client", "bus", n, "pid", by.PID, "uid", by.UID, "program", by.Program)
	return uint32(n), message.OK
}

// grow runs more buses until there are n. The caller holds mu.
func (s *Server) grow(n int) error {
	for number := len(s.buses); number < n; number++ {
		if err := s.add(number, nil); err != nil {
			return err
		}
		s.running++
		spareProcessor(len(s.buses))
		go s.run(s.buses[number])
		s.log.Info("new bus", "bus", number)
	}
	return nil
}

// spareProcessor makes sure that the Go scheduler has one processor more than there are loops, for a loop that waits
// raw keeps one to itself (sys.go).
func spareProcessor(loops int) {
	procs.Lock()
	defer procs.Unlock()
	if runtime.GOMAXPROCS(0) < loops+1 {
		runtime.GOMAXPROCS(loops + 1)
	}
}

var procs sync.Mutex
