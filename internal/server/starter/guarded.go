package starter

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/guardian"
	"kbus.example/kbus/internal/services"
)

// Programs that a daemon before this one has started are children of its process, which has become their guardian: it is told whom to
// signal, and tells who has ended and how. A guardian ends with the last of its programs. If it ends before, the kernel has sent
// them SIGTERM, and nobody will know how they end; who does not for some time is killed.

// guarding is a guardian as its daemon knows it.
type guarding struct {
	fd     int
	file   *os.File // of fd
	ended  bool
	unsaid bool // it has not told of one that was killed: somebody has stopped it, and it is not waited for any more
}

func (g *guarding) signal(c *child, which unix.Signal) {
	if !g.ended {
		_ = guardian.Send(g.fd, guardian.Word{Kind: guardian.Signal, PID: uint32(c.pid), Value: uint32(which)}, unix.MSG_DONTWAIT)
	}
	if g.ended || which == unix.SIGKILL {
		_ = unix.PidfdSendSignal(c.handle, which, nil, 0)
	}
}

// awaitWord is for a program that has been killed: its guardian must say soon that it has ended.
func (s *Starter) awaitWord(of *services.Service, c *child) {
	pidfd, err := unix.FcntlInt(uintptr(c.handle), unix.F_DUPFD_CLOEXEC, 0) // for that of the child may be closed meanwhile
	go func() {
		if err == nil { // else it has ended before we came
			hasEndedWithin(pidfd, -1)
			unix.Close(pidfd)
		}
		hasEndedWithin(-1, patience) // of nothing
		s.do(func() {
			s.awaitGoOn()
			if s.children[of] == c && !c.of.ended {
				c.of.unsaid = true
				c.release()
				s.hasEnded(of, c.pid, unknownEnd+": its guardian does not say", services.Unknown)
			}
		})
	}()
}

// patience is how long the word of a guardian may take, in milliseconds.
const patience = 1000

// awaitsGuardians reports whether one has not ended that will. The caller holds the lock.
func (p *programs) awaitsGuardians() bool {
	return slices.ContainsFunc(p.guardians, func(g *guarding) bool { return !g.unsaid })
}

// Resumption is what a Starter will go on with.
type Resumption struct {
	state *State
	programs
}

var errNoGuardian = errors.New("a program of a service has no guardian")

// Resumed looks at what another daemon has handed over. descriptor gives the descriptor of an index, or -1. It changes nothing.
func Resumed(state *State, descriptor func(index int) int) (*Resumption, error) {
	r := &Resumption{state, programs{children: map[*services.Service]*child{}}}
	for _, index := range state.Guardians {
		fd := descriptor(index)
		if fd < 0 {
			return nil, errNoGuardian
		}
		r.guardians = append(r.guardians, &guarding{fd: fd, file: os.NewFile(uintptr(fd), "guardian")})
	}
	for i := range state.Services {
		one := &state.Services[i]
		if !one.Runs {
			continue
		}
		if one.Guardian < 0 || one.Guardian >= len(r.guardians) || one.PID <= 0 {
			return nil, errNoGuardian
		}
		c := &child{pid: one.PID, of: r.guardians[one.Guardian], handle: -1}
		if fd, err := unix.PidfdOpen(c.pid, 0); err == nil { // if it has not ended
			c.handle = fd
		}
		r.children[&one.Service] = c
	}
	return r, nil
}

// Resume goes on with it, with these services (nil: none), in the place of the daemon that has handed it over.
func Resume(s *Starter, r *Resumption, set *services.Set) {
	s.mu.Lock()
	services.Resume(&s.keeper, &r.state.KeeperState, s.now())
	s.programs = r.programs
	s.mu.Unlock()
	for _, g := range r.guardians {
		go s.listen(g)
	}
	s.Use(set)
}

// listen hears a guardian until it ends. While all stands still its words are left to who goes on.
func (s *Starter) listen(g *guarding) {
	raw, err := g.file.SyscallConn()
	for goesOn := err == nil; goesOn; {
		err = raw.Read(func(uintptr) (done bool) {
			s.do(func() {
				s.awaitGoOn()
				var w guardian.Word
				w, goesOn, err = guardian.Receive(g.fd)
				if done = err != unix.EAGAIN; done && goesOn {
					s.guardianSays(g, w)
				}
			})
			return done
		})
		goesOn = goesOn && err == nil
	}
	s.do(func() {
		s.awaitGoOn()
		s.lose(g)
	})
}

// of gives a program of a guardian.
func (p *programs) of(g *guarding, pid int) (*services.Service, *child) {
	for of, c := range p.children {
		if c.of == g && c.pid == pid {
			return of, c
		}
	}
	return nil, nil
}

// guardianSays takes a word. The caller holds the lock.
func (s *Starter) guardianSays(g *guarding, w guardian.Word) {
	of, c := s.of(g, int(w.PID))
	if c == nil || w.Kind != guardian.Ended {
		return
	}
	c.release()
	end, how := ending(syscall.WaitStatus(w.Value))
	s.hasEnded(of, c.pid, how, end)
}

func (c *child) release() {
	if c.handle >= 0 {
		unix.Close(c.handle)
	}
}

// lose is for a guardian that has ended. The caller holds the lock.
func (s *Starter) lose(g *guarding) {
	g.ended = true
	g.file.Close()
	for i, one := range s.guardians {
		if one == g {
			s.guardians = append(s.guardians[:i:i], s.guardians[i+1:]...)
		}
	}
	for of, c := range s.children {
		if c.of == g {
			s.log.Warn("the guardian of a service has ended before it", "file", of.File, "pid", c.pid)
			go s.endUnguarded(of, c)
		}
	}
}

// endUnguarded sees to the end of a program without a guardian.
func (s *Starter) endUnguarded(of *services.Service, c *child) {
	if c.handle >= 0 && !hasEndedWithin(c.handle, int(services.Grace.Milliseconds())) {
		_ = unix.PidfdSendSignal(c.handle, unix.SIGKILL, nil, 0)
		hasEndedWithin(c.handle, -1)
	}
	s.do(func() {
		c.release()
		s.hasEnded(of, c.pid, unknownEnd+": its guardian has ended before it", services.Unknown)
	})
}

// hasEndedWithin waits for the end of a process for so many milliseconds, and reports whether it has ended; -1: for ever.
func hasEndedWithin(pidfd, milliseconds int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, milliseconds)
		if err != unix.EINTR {
			return n != 0
		}
	}
}
