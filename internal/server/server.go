// Package server is the daemon without its main: sockets, event loops, limits and the end in order. A Server runs
// buses inside any process; cmd/kbusd adds the command line, signals and systemd.
//
// Here is the process: settings, socket files and their lock, systemd's sockets, a reload, the end in order. A bus with
// all its connections is package loop.
package server

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/server/starter"
)

// Server is a set of running buses. Make it with Start. Its methods are safe for concurrent use.
type Server struct {
	log    *logger.Logger
	ration *ration // of log
	permitted
	muchLeft

	starter *starter.Starter // of services

	mu     sync.Mutex // guards what follows; never held while waiting for a loop
	config Config
	files
	buses []*served // by number
	additions
	ending
}

// files is what a server has in the file system beside the sockets of its buses.
type files struct {
	group  int // of the socket files, -1 when nobody chose one
	lock   *dirLock
	device *device.Config // nil: no devices
}

// Start makes the runtime directory and the sockets and runs the buses. When it returns, clients can connect. It
// owns config.Listeners from now on, also when it fails. A nil log is silent.
func Start(config Config, log *logger.Logger) (*Server, error) {
	s := newServer(config, log)
	given, err := s.config.given()
	if err == nil {
		err = s.prepare()
	}
	for number := 0; err == nil && number < s.config.Buses; number++ {
		err = s.add(number, given)
	}
	if err != nil {
		s.abandon(given)
		return nil, err
	}
	runAll(s, "buses are open")
	return s, nil
}

func newServer(config Config, log *logger.Logger) *Server {
	if log == nil {
		log = logger.New(logger.Discard)
	}
	r := newRation(log.Handler())
	s := &Server{log: logger.New(r), ration: r, config: config, muchLeft: make(muchLeft, 1),
		additions: additions{made: map[uint32]int{}}, ending: ending{ended: make(chan struct{})}}
	s.starter = newStarter(s)
	s.starter.Use(config.Services.Set)
	return s
}

// runAll runs all buses for the first time, and says so.
func runAll(s *Server, what string) {
	s.mu.Lock() // a loop that runs may want a new bus at once
	defer s.mu.Unlock()
	s.running = len(s.buses)
	spareProcessor(s.running)
	go s.givesBack(s.ended)
	for _, bus := range s.buses {
		go s.run(bus)
	}
	s.log.Info(what, "dir", s.config.Dir, "buses", len(s.buses), "rules", s.config.Rules.count(),
		"services", s.config.Services.Count())
	s.config.warnOfDescriptors(s.log)
	go s.config.makeRoomForDescriptors(s.log)
}

// prepare checks the configuration and takes hold of the runtime directory.
func (s *Server) prepare() (err error) {
	if err = prepareSettings(s); err != nil {
		return err
	}
	if s.lock, err = lockDir(s.config.Dir); err != nil {
		return err
	}
	s.device, err = s.config.prepareDevice()
	return err
}

// prepareSettings checks the configuration, and looks up what it names.
func prepareSettings(s *Server) (err error) {
	if bad := s.config.Check(); len(bad) > 0 {
		return bad[0]
	}
	if s.config.Dir == "" {
		if s.config.Dir, err = rundir.OfDaemon(); err != nil {
			return err
		}
	}
	if s.group, err = groupID(s.config.SocketGroup); err != nil {
		return fmt.Errorf("socket %w", err)
	}
	if s.admins, err = administratorsBy("administration", s.config.Administration); err != nil {
		return err
	}
	s.limpets = s.config.Limpets
	s.tappers, err = administratorsBy("taps", s.config.Taps)
	return err
}

// abandon closes what a failed Start has opened.
func (s *Server) abandon(given map[int]int) {
	s.starter.End()
	s.ration.end()
	for _, bus := range s.buses {
		bus.Close()
	}
	for _, fd := range given {
		unix.Close(fd)
	}
	if s.lock != nil {
		s.lock.unlock()
	}
}

// Dir is the directory of the sockets.
func (s *Server) Dir() string { return s.config.Dir }

// Buses counts the buses.
func (s *Server) Buses() int { return len(s.all()) }

// all is the buses that there are now.
func (s *Server) all() []*served {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.buses)
}

// errStopping is what a server that ends says to a reload.
var errStopping = errors.New("the server is stopping")
