package driver

import (
	"slices"
	"syscall"

	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// System is a system of buses as a driver reaches it. It is a trace.System.
type System struct {
	process   *Process
	caps      []string
	host      Host
	operation string // of the case, which is being performed
	open      map[*ksock]bool
}

// Host is what the system's daemon does for the table beside the driver.
type Host interface {
	// Broken ends the case: the driver is of no use any more. It does not return.
	Broken(operation string, err error)
	// Closed waits until a Ksock that the driver has closed is closed in the daemon as well.
	Closed(device int, id uint32)
	// Bindings and Stats are for doors that have no reports.
	Bindings() string
	Stats() string
	// End ends the daemon.
	End()
}

// NewSystem is a fresh system, of which the driver knows nothing yet. caps are its Caps.
func NewSystem(p *Process, caps []string, host Host) *System {
	return &System{process: p, caps: caps, host: host, open: map[*ksock]bool{}}
}

// Caps asks what the door can do.
func (p *Process) Caps() ([]string, error) {
	words, err := p.Ask("caps")
	if err != nil {
		return nil, err
	}
	for _, word := range words {
		if !slices.Contains(known, word) {
			return nil, p.Broken("caps", words)
		}
	}
	return words, nil
}

// known are the words of caps. "results" is for doors that tell how many a message reached: their answers to send and
// sendmessage have two words more, reached and skipped. A door opens either original Ksocks or modern ones; "traces"
// is for modern ones that give and see trace contexts.
var known = []string{"bytes", "whole", "pointers", "reports", "unknown", "results", "original", "modern", "traces"}

// Has reports whether the door can do that.
func (s *System) Has(capability string) bool { return slices.Contains(s.caps, capability) }

// Follow is trace.Follower.
func (s *System) Follow(operation string) { s.operation = operation }

// ask performs a command, and read takes the answer apart. A refusal tells nothing more, except that of EAGAIN.
func (s *System) ask(command string, read func(*answer)) syscall.Errno {
	words, err := s.process.Ask(command)
	if err != nil {
		s.host.Broken(s.operation, err)
	}
	a := &answer{words: words}
	errno := a.errno()
	switch {
	case errno != 0 && (errno != syscall.EAGAIN || len(a.words) == 0):
		a.empty()
	case read != nil:
		read(a)
	}
	if a.bad || len(a.words) > 0 {
		s.host.Broken(s.operation, s.process.Broken(command, words))
	}
	return errno
}

// Open is trace.System.
func (s *System) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	handle := s.process.handles
	s.process.handles++
	var id uint32
	if errno := s.ask(request("open", handle, device, mode), func(a *answer) { id = a.word() }); errno != 0 {
		return nil, 0, errno
	}
	k := &ksock{s: s, handle: handle, device: device, id: id}
	s.open[k] = true
	switch {
	case s.Has("whole") && s.Has("pointers"):
		return wholePlacer{whole{k}, placer{k}}, id, 0
	case s.Has("whole"):
		return whole{k}, id, 0
	case s.Has("pointers"):
		return pointing{k, placer{k}}, id, 0
	}
	return k, id, 0
}

// Bindings is trace.System.
func (s *System) Bindings() string { return s.report("bindings", s.host.Bindings) }

// Stats is trace.System.
func (s *System) Stats() string { return s.report("stats", s.host.Stats) }

func (s *System) report(command string, otherwise func() string) (text string) {
	if !s.Has("reports") {
		return otherwise()
	}
	errno := s.ask(command, func(a *answer) { text = string(a.bytes()) })
	if errno != 0 {
		return errno.Error()
	}
	return text
}

// Encode has the language decode an entire message and encode it again. How it refuses one is its own affair, so what
// stands behind an errno there does not matter.
func (s *System) Encode(entire []byte) (again []byte, err syscall.Errno) {
	command := request("encode", hexadecimal(entire))
	words, broken := s.process.Ask(command)
	if broken != nil {
		s.host.Broken(s.operation, broken)
	}
	a := &answer{words: words}
	if err = a.errno(); err == 0 {
		again = a.bytes()
		a.bad = a.bad || len(a.words) > 0
	}
	if a.bad {
		s.host.Broken(s.operation, s.process.Broken(command, words))
	}
	return again, err
}

// End is trace.System. It closes what is open, so that the driver can go on with another system.
func (s *System) End() {
	for k := range s.open {
		if s.process.Lives() {
			s.ask(request("close", k.handle), nil)
		}
	}
	s.host.End()
}

// Entire is the message in entire form, as a driver is given it, laid out by no code of the languages.
func Entire(h *message.Header, name, data []byte) []byte {
	return message.AppendEntire(nil, h, name, data)
}
