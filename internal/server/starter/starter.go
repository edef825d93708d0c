// Package starter starts the services that package services decides to start, and ends them with the daemon.
//
// A program is a child of the daemon, in a process group of its own. What it needs it gets from the daemon: its
// environment without what is meant for the daemon alone, its standard error, and KBUS_DIR. A goroutine with a thread of its
// own starts all programs, so that the kernel can end them should the daemon be killed; another waits for each. No loop of
// a bus waits for any of that.
//
// The files: child.go is a program, handover.go how all are handed over to another daemon, guarded.go programs that a daemon before
// this one has started.
package starter

import (
	"math"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/guardian"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/services"
	"kbus.example/kbus/internal/wire"
)

// Starter has the services of all buses. Make it with New. It is safe for concurrent use.
type Starter struct {
	log    *logger.Logger
	dir    func() string                   // where the sockets are
	report func(bus int, name, why string) // that a name has no Replier, for this reason
	now    func() time.Time

	mu     sync.Mutex
	keeper services.Keeper
	names  map[int][]string // by bus
	life
	bell  chan struct{} // for it: look at the keeper
	ended chan struct{} // closed by it

	programs
	standing
}

// programs are those that run.
type programs struct {
	children  map[*services.Service]*child
	guardians []*guarding // of some of them
}

// life is how far it has come.
type life struct {
	began   bool // there is a goroutine
	ending  bool // it starts nothing any more,
	hurried bool // and there is no time left
}

// New makes one without services. report must not wait.
func New(log *logger.Logger, dir func() string, report func(bus int, name, why string)) *Starter {
	s := &Starter{log: log, dir: dir, report: report, now: time.Now, bell: make(chan struct{}, 1), ended: make(chan struct{}),
		programs: programs{children: map[*services.Service]*child{}}}
	s.standing.init(&s.mu)
	return s
}

// Use has these services known from now on; nil: none. Who uses them must be told to the buses as well (Names).
func (s *Starter) Use(set *services.Set) {
	if set == nil {
		set = &services.Set{}
	}
	s.do(func() {
		s.keeper.Use(set, s.now())
		s.names = map[int][]string{}
		for _, one := range set.Services {
			s.names[one.Bus] = append(s.names[one.Bus], one.Names...)
		}
		if (len(set.Services) > 0 || s.keeper.Running()) && !s.began && !s.ending {
			s.began = true
			go s.run()
		}
	})
}

// Names are those of a bus that can be started.
func (s *Starter) Names(bus int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[bus]
}

// Called is for what a bus calls for. It does not wait.
func (s *Starter) Called(number int, calls []bus.Call) {
	s.do(func() {
		for _, c := range calls {
			s.call(number, c)
		}
	})
}

func (s *Starter) call(number int, c bus.Call) {
	switch {
	case s.still:
		s.later = append(s.later, laterCall{number, c})
	case c.Bound:
		s.keeper.Bound(number, c.Name)
	default:
		s.keeper.Wanted(number, c.Name, s.now())
	}
}

// do does something with the keeper and has the goroutine look what follows.
func (s *Starter) do(f func()) {
	s.mu.Lock()
	f()
	s.mu.Unlock()
	s.changed.Broadcast()
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// End asks all programs to end, and returns when they have. Those that do not within some seconds are killed.
func (s *Starter) End() {
	began := false
	s.do(func() {
		began = s.began
		s.ending = true
		s.keeper.EndAll(s.now())
		if s.hurried {
			s.keeper.EndAll(s.now())
		}
	})
	if began {
		<-s.ended
	}
}

// Hurry has End kill, what it waits for and what it will wait for.
func (s *Starter) Hurry() {
	s.do(func() {
		if s.hurried = true; s.ending {
			s.keeper.EndAll(s.now())
		}
	})
}

// run does what the keeper wants done.
func (s *Starter) run() {
	runtime.LockOSThread() // and never unlocked: the kernel ends the programs when this thread does
	// What the daemon has inherited is not for the programs. Kernels before 5.11 leave it to them.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	defer close(s.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		tick := false
		select {
		case <-s.bell:
		case <-timer.C:
			tick = true
		case <-s.handedOver:
			_ = guardian.Become(s.becomes, s.pids()) // or this is the end of the thread, and with it of the programs
			return
		}
		for {
			s.mu.Lock()
			if s.still {
				s.mu.Unlock()
				break
			}
			if tick {
				s.keeper.Tick(s.now())
				tick = false
			}
			actions, next := s.keeper.Actions(), s.keeper.Next()
			over := s.ending && !s.keeper.Running() && !s.awaitsGuardians() && len(actions) == 0
			s.performs = len(actions) > 0
			s.mu.Unlock()
			if over {
				return
			}
			if len(actions) == 0 {
				s.changed.Broadcast()
				timer.Reset(untilNext(next, s.now()))
				break
			}
			for _, a := range actions {
				s.perform(a)
			}
		}
	}
}

// untilNext is how long nothing will happen by itself.
func untilNext(next, now time.Time) time.Duration {
	if next.IsZero() {
		return time.Hour
	}
	return max(next.Sub(now), 0)
}

func (s *Starter) perform(a services.Action) {
	switch a.Deed {
	case services.Start:
		s.start(a.Service)
	case services.End:
		s.signal(a.Service, unix.SIGTERM)
	case services.Kill:
		s.log.Warn("a service has not ended in time and is killed", "file", a.Service.File)
		s.signal(a.Service, unix.SIGKILL)
	case services.NotStarted:
		if a.Service != nil {
			s.log.Warn("a service is not there for a Request", "file", a.Service.File, "bus", a.Bus)
		}
		s.report(a.Bus, a.Name, a.Why)
	}
}

func (s *Starter) signal(of *services.Service, which unix.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.children[of]
	c.signal(which)
	if which == unix.SIGKILL && c != nil && c.own == nil {
		s.awaitWord(of, c)
	}
}

// Services tells of those of a bus.
func (s *Starter) Services(number uint32) (list []wire.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.keeper.Report(s.now()) {
		if one.Bus != int(number) {
			continue
		}
		for _, name := range one.Names {
			list = append(list, wire.Service{
				Name: name, Program: one.String(), File: one.File, State: string(one.State), PID: uint32(max(one.PID, 0)),
				Failures: one.Failures, LastFailure: one.Last, LastFailureAgo: one.LastAge.Seconds(), NextTryIn: one.NextTryIn.Seconds(),
			})
		}
	}
	return list
}
