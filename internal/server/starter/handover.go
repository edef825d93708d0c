package starter

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/guardian"
	"kbus.example/kbus/internal/services"
)

// Programs go on while a daemon takes over from another. What is under way is done first, while the buses still turn: what was to be
// started or ended, and systemctl, which takes no long time. Then all stands still: nothing is started, and nobody waits for
// programs that end, so that the end of each is told once, by whoever is their parent in the end.
//
// When the other daemon is the daemon, this process becomes the guardian of what it has started (Guard), and what others have
// started stays with their guardians, whose sockets the new daemon has been given.

// State is all services and who has their programs.
type State struct {
	services.KeeperState
	Guardians []int // descriptors
}

// Code writes a State, or reads one.
func (s *State) Code(c *form.Coder) {
	s.KeeperState.Code(c)
	form.Ints(c, &s.Guardians)
}

// standing is what a Starter has for that.
type standing struct {
	changed    sync.Cond // something of what follows, or of children, keeper and guardians
	performs   bool      // some actions
	still      bool      // it stands still
	later      []laterCall
	becomes    int // the guardian's end of a socket whose other one is handed over; -1: nothing would be guarded
	other      int // that other one
	handedOver chan struct{}
}

// laterCall is what a bus has called for meanwhile.
type laterCall struct {
	bus int
	bus.Call
}

func (t *standing) init(mu *sync.Mutex) {
	t.changed.L, t.becomes, t.other, t.handedOver = mu, -1, -1, make(chan struct{})
}

// mostUnderWay is how long what is under way may take.
const mostUnderWay = 2 * time.Second

var errUnderWay = errors.New("a service is being started or ended by systemd, or its guardian has been killed: try again")

// HoldStill has all stand still, when what is under way is done. With an error all goes on.
func HoldStill(s *Starter) error {
	over := false
	timer := time.AfterFunc(mostUnderWay, func() {
		s.mu.Lock()
		over = true
		s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.performs || !s.keeper.Idle() || s.underWay() {
		if over {
			return errUnderWay
		}
		s.changed.Wait()
	}
	s.still = true
	return nil
}

// underWay reports whether there is something that another daemon could not go on with: systemctl, whose last words nobody else
// hears, or a program without a guardian.
func (p *programs) underWay() bool {
	for of, c := range p.children {
		if of.Unit != "" || c.own == nil && c.of.ended {
			return true
		}
	}
	return false
}

// awaitGoOn waits until nothing stands still. The caller holds the lock.
func (t *standing) awaitGoOn() {
	for t.still {
		t.changed.Wait()
	}
}

// GoOn has all go on as if nothing had been.
func GoOn(s *Starter) {
	s.do(func() {
		s.still = false
		later := s.later
		s.later = nil
		for _, l := range later {
			s.call(l.bus, l.Call)
		}
		for _, fd := range [...]*int{&s.becomes, &s.other} {
			if *fd >= 0 {
				unix.Close(*fd)
				*fd = -1
			}
		}
	})
}

// StateOf is for one that stands still, as do the buses. add gives the index of a descriptor that is handed over.
func StateOf(s *Starter, add func(fd int) int) (all State, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.later {
		if l.Bound { // of what is wanted, the buses tell the new daemon again
			s.keeper.Bound(l.bus, l.Name)
		}
	}
	all.KeeperState = services.StateOf(&s.keeper, s.now())
	guards := map[*guarding]int{}
	for _, g := range s.guardians {
		guards[g] = len(all.Guardians)
		all.Guardians = append(all.Guardians, add(g.fd))
	}
	if len(s.pids()) > 0 {
		if err = guardian.Possible(); err == nil {
			s.becomes, s.other, err = guardian.Pair()
		}
		if err != nil {
			return all, err
		}
		guards[nil] = len(all.Guardians)
		all.Guardians = append(all.Guardians, add(s.other))
	}
	for _, c := range s.children {
		for i := range all.Services {
			if one := &all.Services[i]; one.Runs && one.PID == c.pid {
				one.Guardian = guards[c.of]
			}
		}
	}
	return all, nil
}

// pids are the programs that this process has started.
func (p *programs) pids() (own []int) {
	for _, c := range p.children {
		if c.own != nil {
			own = append(own, c.pid)
		}
	}
	return own
}

// Guard is for a process whose State another daemon goes on with. It looks after the programs that it has started, and returns only
// if there are none.
func Guard(s *Starter) {
	if s.becomes >= 0 {
		close(s.handedOver)
		<-s.ended
	}
}
