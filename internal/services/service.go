// Package services decides what becomes of the services that are started when somebody asks for them: when a program is
// started, when its time is over, and when it has failed so often that the next try must wait. It starts nothing itself, and has
// no clock: what happens goes in with the moment at which it does, and what is to be done comes out.
//
// The files: service.go is what a service is, keeper.go what happens to it, configured.go what becomes of
// it when others are configured, report.go how it is, state.go what a daemon hands over to another.
package services

import (
	"fmt"
	"time"
)

// DefaultDeadline is how long a program may take from its start until it is the Replier.
const DefaultDeadline = 5 * time.Second

// Service is a program that becomes the Replier of some names. It is never changed once it is in use.
type Service struct {
	Bus      int      // the number of the bus
	Names    []string // exact ones
	Exec     []string // the program and its arguments; nil: Unit
	Unit     string   // of systemd
	As       *Identity
	Deadline time.Duration
	File     string // that says so
}

// Identity is who a program runs as; nil: the daemon's own user.
type Identity struct {
	User     string // its name, for people and the environment
	Home     string
	UID, GID uint32
	Groups   []uint32
}

// String is the unit, or the path of the program.
func (s *Service) String() string {
	if s.Unit != "" {
		return s.Unit
	}
	return s.Exec[0]
}

// same reports whether another service does the same in the same way.
func (s *Service) same(o *Service) bool {
	user := func(i *Identity) string {
		if i == nil {
			return ""
		}
		return fmt.Sprint(*i)
	}
	return s.Bus == o.Bus && fmt.Sprintf("%q %q", s.Names, s.Exec) == fmt.Sprintf("%q %q", o.Names, o.Exec) &&
		s.Unit == o.Unit && s.Deadline == o.Deadline && user(s.As) == user(o.As)
}

// Set is all services that there are.
type Set struct{ Services []*Service }

// Names are those of one bus that have a service.
func (s *Set) Names(bus int) (names []string) {
	if s == nil {
		return nil
	}
	for _, one := range s.Services {
		if one.Bus == bus {
			names = append(names, one.Names...)
		}
	}
	return names
}
