package folder

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// Names finds the numbers of users and groups.
type Names interface {
	User(name string) (uint32, error)
	Group(name string) (uint32, error)
}

// Here are the names that this machine knows.
type Here struct{}

// User is for Names.
func (Here) User(name string) (uint32, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, fmt.Errorf("this machine has no user %q", name)
	}
	return parseID(u.Uid, 10)
}

// Group is for Names.
func (Here) Group(name string) (uint32, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("this machine has no group %q", name)
	}
	return parseID(g.Gid, 10)
}

func parseID(text string, base int) (uint32, error) {
	n, err := strconv.ParseUint(text, base, 32)
	if err != nil || n == 1<<32-1 {
		return 0, errors.New("not a number of a user or group")
	}
	return uint32(n), nil
}

// Elsewhere are the names of a machine that is not here: what is unknown gets a number that no user has.
type Elsewhere struct{ invented map[string]uint32 }

// firstInvented is the first such number. The kernel has them, and no system gives them to users.
const firstInvented = 0xF0000000

func (e *Elsewhere) invent(name string) uint32 {
	if e.invented == nil {
		e.invented = map[string]uint32{}
	}
	id, known := e.invented[name]
	if !known {
		id = firstInvented + uint32(len(e.invented))
		e.invented[name] = id
	}
	return id
}

// User is for Names.
func (e *Elsewhere) User(name string) (uint32, error) {
	if id, err := (Here{}).User(name); err == nil {
		return id, nil
	}
	return e.invent("user " + name), nil
}

// Group is for Names.
func (e *Elsewhere) Group(name string) (uint32, error) {
	if id, err := (Here{}).Group(name); err == nil {
		return id, nil
	}
	return e.invent("group " + name), nil
}
