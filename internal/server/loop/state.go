package loop

import (
	"fmt"

	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
)

// What a loop hands over to another process, beside its bus and sessions: connections with what has been read of them, their
// rings, and descriptors, which are told by their index in a list that goes with them.
//
// What is about fairness is not in it: who has had how much of a turn, and what is charged, which follows from the rest.

// State is all of a loop.
type State struct {
	Number          int
	Engine          *session.State
	Conns           []ConnState
	Device          *device.State // nil: sockets only
	Listener, Alarm int
	Refused         int    // for want of descriptors, see reserve.go
	LastReporter    uint32 // see noteSwitched
}

// ConnState is a connection.
type ConnState struct {
	Socket   int
	Session  int    // its index in the state of the Engine
	Rest     []byte // received, and not yet handled
	Blocked  bool
	Logged   uint16
	Identity *rules.Identity // nil: not found out
	Rings    *RingsState
}

// RingsState is its rings.
type RingsState struct {
	Ring                         ring.State
	Memory, Bell, Theirs, Hears  int
	Introduced, Begun            bool
	Arena, Changed, Closed, Want bool
}

// Descriptors is the list.
type Descriptors struct{ List []int }

// Add gives the index of one more; -1, which is none, has the index -1.
func (d *Descriptors) Add(fd int) (index int) {
	if fd < 0 {
		return -1
	}
	d.List = append(d.List, fd)
	return len(d.List) - 1
}

// at gives the descriptor of an index.
func (d *Descriptors) at(index int, err *error) int {
	switch {
	case index == -1:
		return -1
	case index < 0 || index >= len(d.List):
		if *err == nil {
			*err = fmt.Errorf("descriptor %d of %d", index, len(d.List))
		}
		return -1
	}
	return d.List[index]
}
