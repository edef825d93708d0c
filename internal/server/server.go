// Package server is the daemon without its main: sockets, event loops, limits and the end in order. A Server runs
// buses inside any process; cmd/kbusd adds the command line, signals and systemd.
//
// The files: loop.go is a bus's event loop, conn.go and requests.go are one connection's turn in it, accept.go lets
// connections in and end.go throws them out, limits.go counts what they hold. server.go and stop.go are all loops
// together, from outside.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"kbus/internal/device"
)

// Server is a set of running buses. Make it with Start. Its methods are safe for concurrent use.
type Server struct {
	log *slog.Logger

	mu       sync.Mutex // guards what follows; never held while waiting for a loop
	config   Config
	group    int // of the socket files, -1 when nobody chose one
	lock     *dirLock
	device   *device.Config // nil: no devices
	loops    []*loop        // by bus number
	running  int            // loops that have not ended
	stopping bool
	timers   []*time.Timer
	ended    chan struct{} // closed when all loops have ended
}

// Start makes the runtime directory and the sockets and runs the buses. When it returns, clients can connect. It
// owns config.Listeners from now on, also when it fails. A nil log is silent.
func Start(config Config, log *slog.Logger) (*Server, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{log: log, config: config, ended: make(chan struct{})}
	given, err := s.given()
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
	s.mu.Lock() // a loop that runs may want a new bus at once
	defer s.mu.Unlock()
	s.running = len(s.loops)
	spareProcessor(s.running)
	for _, l := range s.loops {
		go l.run()
	}
	log.Info("buses are open", "dir", s.config.Dir, "buses", len(s.loops))
	s.warnOfDescriptors()
	return s, nil
}

// warnOfDescriptors says when the system's limit will be met before ours. That does no harm, but the system's limit
// knows no users: one of them can take all there is.
func (s *Server) warnOfDescriptors() {
	var r unix.Rlimit
	most, each := s.config.Limits.Connections, 1
	if s.config.RingBytes != 0 {
		each = 3 // the socket and two bells
	}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err == nil && (most == 0 || r.Cur < uint64(most)*uint64(each)) {
		s.log.Warn("limits.connections is above what the system allows", "limits.connections", most, "open files", r.Cur)
	}
}

// given is the descriptors handed over, by bus, until they are in use. There are as many buses as that needs.
func (s *Server) given() (given map[int]int, err error) {
	given = map[int]int{}
	for _, g := range s.config.Listeners {
		if _, again := given[g.Bus]; again {
			err = fmt.Errorf("two sockets were handed over for bus %d", g.Bus)
			unix.Close(g.FD)
			continue
		}
		given[g.Bus] = g.FD
		s.config.Buses = max(s.config.Buses, g.Bus+1)
	}
	return given, err
}

// prepare checks the configuration and takes hold of the runtime directory.
func (s *Server) prepare() (err error) {
	if bad := s.config.Check(); len(bad) > 0 {
		return bad[0]
	}
	if s.config.Dir == "" {
		if s.config.Dir, err = RuntimeDir(); err != nil {
			return err
		}
	}
	if s.group, err = groupID(s.config.SocketGroup); err != nil {
		return fmt.Errorf("socket %w", err)
	}
	if s.lock, err = lockDir(s.config.Dir); err != nil {
		return err
	}
	return s.prepareDevice()
}

// prepareDevice finds out whether there can be devices, and takes away what a dead daemon has left of its own.
func (s *Server) prepareDevice() (err error) {
	c := s.config.Device
	if c.Kind == "off" {
		return nil
	}
	d := &device.Config{
		Kind: device.Kind(c.Kind), Dir: s.config.Dir, Link: c.Link, Mode: c.Mode, StatAsDevice: c.StatAsDevice,
	}
	if d.Group, err = groupID(c.Group); err != nil {
		return fmt.Errorf("device %w", err)
	}
	err = d.Check()
	if err == nil {
		d.Dir, err = filepath.Abs(d.Dir) // a link leads there
	}
	if err != nil {
		return err
	}
	d.Sweep()
	s.device = d
	return nil
}

// abandon closes what a failed Start has opened.
func (s *Server) abandon(given map[int]int) {
	for _, l := range s.loops {
		l.closeDescriptors()
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

// all is the loops that there are now.
func (s *Server) all() []*loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.loops)
}

// errStopping is what a server that ends says to a reload.
var errStopping = errors.New("the server is stopping")

// background is the context of log lines.
var background = context.Background()
