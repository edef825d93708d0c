package server

import (
	"errors"
	"maps"
	"path/filepath"
	"time"

	"kbus.example/kbus/internal/handover"
	"kbus.example/kbus/internal/server/loop"
	"kbus.example/kbus/internal/server/starter"
)

// A server can hand all that it has to another process, which goes on in its place (takeover.go), and nobody who is connected
// notices. All loops stand still meanwhile. Until the other one has been told to go everything can be undone: the loops go
// on. After that this process has nothing left to do and must end, without a word to anybody.

// State is what a server hands over. Descriptors are told by their index in a list.
type State struct {
	Dir      string
	Settings map[string]string // for the new daemon to compare with its own
	Buses    []BusState
	Made     map[uint32]int
	Lock     int
	Control  int
	Starter  starter.State
	Files    []byte // by bus: fileOwn and fileGiven
}

// Whose the socket file of a bus is, wherever it is.
const (
	fileOwn   = 1 << iota // ours
	fileGiven             // handed over to us by who has started us
)

// BusState is a bus as the process holds it.
type BusState struct {
	Loop          *loop.State
	OwnFile       bool // the socket file is ours, and there
	GivenAndThere bool // it was handed over to us by who has started us, and is there
}

// Passing is what goes with a server that is handed over.
type Passing struct {
	Settings map[string]string // as the settings are shown
	Control  *Control          // nil: none
	BeforeGo func() error      // is called when the new daemon is ready, just before it is told to go; nil: nothing
}

// HandOver hands a server over to the daemon at the other end. When it gives nil that one is the daemon, and this process must
// exit at once: it must not stop the server. With an error this server goes on as before, and the other side has been told why.
// still is how long the buses have stood still.
//
// Before it exits it must call Guard.
func HandOver(s *Server, conn *handover.Conn, p Passing) (still time.Duration, err error) {
	began, err := handOver(s, conn, p)
	var no *handover.Refusal
	if err != nil && !errors.As(err, &no) {
		conn.Refuse(err)
	}
	return time.Since(began), err
}

func handOver(s *Server, conn *handover.Conn, p Passing) (began time.Time, err error) {
	if _, err = conn.ReceiveHello(); err != nil {
		return began, err
	}
	began = time.Now()
	if err = starter.HoldStill(s.starter); err != nil { // before the buses, since it may take a while
		return began, err
	}
	began = time.Now()
	var d loop.Descriptors
	state, holds, err := holdAll(s, &d)
	defer func() {
		if err != nil {
			for _, h := range holds {
				h.GoOn()
			}
			starter.GoOn(s.starter)
		}
	}()
	if err != nil {
		return began, err
	}
	if state.Starter, err = starter.StateOf(s.starter, d.Add); err != nil {
		return began, err
	}
	state.Settings, state.Control = p.Settings, -1
	if p.Control.IsThere() {
		state.Control = d.Add(p.Control.descriptor())
	}
	state.Lock = d.Add(int(s.lock.file.Fd()))
	if err = conn.SendState(state.Code, d.List); err != nil {
		return began, err
	}
	if p.BeforeGo != nil {
		if err = p.BeforeGo(); err != nil {
			return began, err
		}
	}
	err = conn.Go() // by name: it decides what becomes of the loops
	return began, err
}

// Guard is for the process of a server that was handed over. If it has started programs of services it looks after them from now on,
// and Guard does not return.
func Guard(s *Server) { starter.Guard(s.starter) }

// holdAll has all loops stand still, also those of buses that are made meanwhile, and gives the state of all. Those that do must
// be let go on if there is an error.
func holdAll(s *Server, d *loop.Descriptors) (*State, []*loop.Hold, error) {
	var holds []*loop.Hold
	dir, err := filepath.Abs(s.config.Dir)
	if err != nil {
		return nil, nil, err
	}
	state := &State{Dir: dir}
	for {
		buses := s.all()
		if len(buses) == len(holds) {
			break
		}
		for _, bus := range buses[len(holds):] {
			h, err := loop.HoldStill(bus.Loop, d, bus.ended)
			if err != nil {
				return nil, holds, err
			}
			holds = append(holds, h)
			state.Buses = append(state.Buses, BusState{
				Loop: h.State, OwnFile: bus.file.isThere(), GivenAndThere: bus.given.isThere(),
			})
			whose := byte(0)
			if !bus.file.none() {
				whose |= fileOwn
			}
			if !bus.given.none() {
				whose |= fileGiven
			}
			state.Files = append(state.Files, whose)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, holds, errStopping
	}
	state.Made = maps.Clone(s.made)
	return state, holds, nil
}
