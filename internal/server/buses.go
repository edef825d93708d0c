package server

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"kbus/message"
)

// Buses are numbered from 0 and only ever added (R1.1, R1.4): at the start, by a client, or by a reload. A bus exists
// when its socket listens and its loop runs, and only then is its number told.

// add makes the loop of the next bus, on the socket given for it or on one of its own. It does not run yet.
func (s *Server) add(number int, given map[int]int) error {
	fd, isGiven := given[number]
	path := ""
	if isGiven {
		delete(given, number)
		if err := unix.SetNonblock(fd, true); err != nil {
			unix.Close(fd)
			return fmt.Errorf("bus %d: %w", number, err)
		}
	} else {
		var err error
		path = filepath.Join(s.config.Dir, SocketName(number))
		if fd, err = listenOn(path, s.config.SocketMode, s.group); err != nil {
			return err
		}
	}
	l, err := newLoop(s, number, fd, path)
	if err != nil {
		return err
	}
	s.loops = append(s.loops, l)
	return nil
}

// NewBus adds a bus, the next in number, and runs it (R3.81, F19): OK, ErrTooManyBuses at limits.buses, ErrStopping
// while the server ends, ErrNoMemory when the system lacks something, which the log then names.
func (s *Server) NewBus() (number uint32, c message.Condition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.loops)
	switch {
	case s.stopping:
		return 0, message.ErrStopping
	case n >= s.config.Limits.Buses:
		return 0, message.ErrTooManyBuses
	}
	if err := s.grow(n + 1); err != nil {
		s.log.Error("no new bus", "error", err)
		return 0, message.ErrNoMemory
	}
	return uint32(n), message.OK
}

// grow runs more buses until there are n. The caller holds mu.
func (s *Server) grow(n int) error {
	for number := len(s.loops); number < n; number++ {
		if err := s.add(number, nil); err != nil {
			return err
		}
		s.running++
		spareProcessor(len(s.loops))
		go s.loops[number].run()
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
