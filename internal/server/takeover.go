package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/handover"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/server/loop"
	"kbus.example/kbus/internal/server/starter"
	"kbus.example/kbus/internal/sock"
)

// The other side of handover.go: a server that goes on in the place of one in another process. Until it is told to go it only
// makes things of its own. If that is not to be, the process must exit, and nothing be stopped or removed: sockets, files and
// lock are those of the daemon that goes on.

// TakeOver makes a server of the one at the other end, and returns when it is the server: with the control socket, or nil if
// that one had none. check is asked whether the settings of the other fit ours. After an error the process must exit.
func TakeOver(config Config, conn *handover.Conn, check func(settings map[string]string) error, log *logger.Logger) (
	*Server, *Control, error) {
	s := newServer(config, log)
	control, err := takeOverFrom(s, conn, check)
	var no *handover.Refusal
	if err != nil && !errors.As(err, &no) {
		conn.Refuse(err)
	}
	return s, control, err
}

func (t *takeover) descriptor(index int) int {
	if index < 0 || index >= len(t.descriptors) {
		return -1
	}
	return t.descriptors[index]
}

// takeover is one under way.
type takeover struct {
	*Server
	state       State
	received    *handover.Received
	inUse       atomic.Int32 // so many buses have messages in it
	descriptors []int
	services    *starter.Resumption
}

func takeOverFrom(s *Server, conn *handover.Conn, check func(map[string]string) error) (*Control, error) {
	err := prepareSettings(s)
	if err == nil {
		s.device, err = s.config.prepareDevice()
	}
	if err != nil {
		return nil, err
	}
	s.config.makeRoomForDescriptors(s.log) // now, and not while the buses stand still
	if err := conn.SendHello(Version); err != nil {
		return nil, err
	}
	t := &takeover{Server: s}
	received, err := conn.ReceiveState(t.state.Code)
	if err != nil {
		return nil, err
	}
	t.received = received
	t.inUse.Store(int32(len(t.state.Buses)))
	t.descriptors = received.Descriptors
	if err := check(t.state.Settings); err != nil {
		return nil, err
	}
	if t.services, err = starter.Resumed(&t.state.Starter, t.descriptor); err != nil {
		return nil, err
	}
	if s.made = t.state.Made; s.made == nil {
		s.made = map[uint32]int{}
	}
	if err := t.lockFrom(); err != nil {
		return nil, err
	}
	for i := range t.state.Buses {
		if err := t.addFrom(&t.state.Buses[i], i); err != nil {
			return nil, fmt.Errorf("bus %d: %w", i, err)
		}
	}
	control, err := controlFrom(t.descriptor(t.state.Control), s.config.Dir)
	if err != nil {
		return nil, err
	}
	if err := conn.AwaitGo(); err != nil {
		return nil, err
	}
	t.begin()
	return control, nil
}

// lockFrom takes over the lock of the runtime directory, which is one of the open file and not of the process.
func (t *takeover) lockFrom() error {
	if !sameDir(t.state.Dir, t.config.Dir) {
		return fmt.Errorf("the runtime directory is %s there and %s here", t.state.Dir, t.config.Dir)
	}
	fd := t.descriptor(t.state.Lock)
	if fd < 0 {
		return errors.New("there is no lock")
	}
	path := filepath.Join(t.config.Dir, lockName)
	file := os.NewFile(uintptr(fd), path)
	made, err := file.Stat()
	t.lock = &dirLock{file: file, mine: mine{path: path, made: made}}
	return err
}

// sameDir reports whether two paths are of one directory, by whatever way. It need not be there any more.
func sameDir(theirs, ours string) bool {
	here, err := filepath.Abs(ours)
	if err == nil && here == filepath.Clean(theirs) {
		return true
	}
	one, err := os.Stat(theirs)
	other, failed := os.Stat(ours)
	return err == nil && failed == nil && os.SameFile(one, other)
}

func (t *takeover) addFrom(of *BusState, number int) error {
	if of.Loop == nil || of.Loop.Number != number {
		return errors.New("its state is missing")
	}
	bus := &served{number: number, log: t.log.With("bus", number), ended: make(chan struct{})}
	fd := t.descriptor(of.Loop.Listener)
	var whose byte
	if number < len(t.state.Files) { // some before this one tell only of files that are there
		whose = t.state.Files[number]
	}
	bus.file = takenOver(rundir.SocketPath(t.config.Dir, uint32(number)), whose&fileOwn != 0, of.OwnFile)
	if path, err := sock.Path(fd); err == nil {
		bus.given = takenOver(path, whose&fileGiven != 0, of.GivenAndThere)
	}
	config := loopConfig(t.Server, bus, loop.Socket{FD: fd}) // without Remove until it is ours
	config.Resume = &loop.Resumption{State: of.Loop, Descriptors: t.descriptors, MovedIn: func() {
		if t.inUse.Add(-1) == 0 {
			t.received.Free()
		}
	}}
	var err error
	if bus.Loop, err = loop.New(config); err != nil {
		return err
	}
	t.buses = append(t.buses, bus)
	return nil
}

// takenOver is a file that was another daemon's own.
func takenOver(path string, own, there bool) (m mine) {
	switch {
	case there:
		m, _ = madeNow(path)
	case own:
		m.path = path
	}
	return m
}

// begin is for a server that has been told to go.
func (t *takeover) begin() {
	t.lock.sign()
	starter.Resume(t.starter, t.services, t.config.Services.Set)
	for i, bus := range t.buses {
		var remove func()
		if !bus.file.none() {
			remove = bus.file.remove
		}
		loop.Own(bus.Loop, t.state.Buses[i].Loop, remove)
		if remove != nil {
			if fd := loop.ListenerOf(bus.Loop); fd >= 0 {
				_ = unix.Listen(fd, loop.Backlog) // again, so that clients see our process behind it
			}
		}
	}
	runAll(t.Server, "taken over")
}
