package conformance

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"kbus.example/kbus/test/conformance/driver"
)

// A driver slot is a driver and the directory where it looks for its daemon. A driver that has closed all that it opened, may
// be given another daemon there for the next case: starting an interpreter takes longer than a whole case.
type driverSlot struct {
	dir     string
	process *driver.Process // nil: this process
	devices *devices        // nil: the daemon makes none
	alone   bool            // the devices are those of this slot only
}

// pool is the idle slots of one front end.
type pool struct {
	command   []string
	env       []string
	directory string // where it is started
	device    bool   // for daemons that make devices
	again     bool   // a driver can be used for more than one case
	patience  time.Duration

	mutex      sync.Mutex
	idle       []*driverSlot
	breakdowns int
}

// mostBreakdowns is how many of a front end's drivers may break down before the rest of its cases fails without a try:
// one that hangs would hang for hours.
const mostBreakdowns = 5

// start starts what the pool has for a daemon in dir: a process for devices unless there is one, and a driver.
func (p *pool) start(dir string, there *devices) (s *driverSlot, err error) {
	s = &driverSlot{dir: dir, devices: there}
	if p.device && there == nil {
		s.alone = true
		if s.devices, err = startDevices(dir); err != nil {
			return nil, err
		}
	}
	command := p.command
	if len(command) == 0 {
		return s, nil
	}
	if p.device {
		d := daemon{dir: dir}
		command = append(append(s.devices.entering(), command...), "--device-prefix", d.link())
	}
	s.process, err = driver.Start(command, p.directory, append(slices.Clip(p.env), "KBUS_DIR="+dir), p.patience)
	return s, err
}

// caps asks a driver what it can do.
func (p *pool) caps() ([]string, error) {
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		return nil, err
	}
	s, err := p.start(dir, nil)
	if err != nil {
		return nil, err
	}
	defer s.end()
	return s.process.Caps()
}

// take gives a slot for as long as the test takes. One whose test failed is not used again.
func (p *pool) take(t *testing.T) *driverSlot {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.breakdowns >= mostBreakdowns {
		t.Fatalf("%d drivers have broken down; this is not tried any more", p.breakdowns)
	}
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.giveBack(t, s)
		return s
	}
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.start(dir, nil)
	if err != nil {
		os.RemoveAll(dir)
		t.Fatal(err)
	}
	p.giveBack(t, s)
	return s
}

func (p *pool) giveBack(t *testing.T, s *driverSlot) {
	t.Cleanup(func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		if p.again && !t.Failed() {
			p.idle = append(p.idle, s)
			return
		}
		if s.process != nil && !s.process.Lives() {
			p.breakdowns++
		}
		if err := s.end(); err != nil && !t.Failed() {
			t.Error(err)
		}
	})
}

// end ends a driver; one that is broken is killed.
func (s *driverSlot) end() error {
	defer os.RemoveAll(s.dir)
	if s.alone {
		defer s.devices.end()
	}
	if s.process == nil {
		return nil
	}
	defer s.process.Kill()
	return s.process.End()
}

// close ends all idle drivers in order.
func (p *pool) close(t *testing.T) {
	for _, s := range p.idle {
		if err := s.end(); err != nil {
			t.Error(err)
		}
	}
	p.idle = nil
}
