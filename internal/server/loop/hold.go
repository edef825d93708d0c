package loop

import (
	"errors"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
)

// A loop can be made to stand still between two turns, so that another process may go on in its place. Before that it does
// what was to be done in several turns, and takes back what windows show: then all that there is lies in the bus, in sessions
// and in counts of our own. Nothing else is changed, and a loop that is let go on has noticed nothing.

// Hold is a loop that stands still.
type Hold struct {
	State       *State
	descriptors *Descriptors
	err         error
	waited      int           // so many turns, for what takes several
	still       chan struct{} // closed when it does
	goOn        chan struct{}
}

// Why a loop does not stand still.
var (
	errIsEnding = errors.New("the daemon is ending")
	errIsBusy   = errors.New("a bus has always something under way that takes several turns; try again")
)

// HoldStill waits until the loop stands still, and gives its state, whose descriptors it adds to d; they stay the loop's.
// ended is closed when the loop ends. With an error the loop goes on.
func HoldStill(l *Loop, d *Descriptors, ended <-chan struct{}) (*Hold, error) {
	h := &Hold{descriptors: d, still: make(chan struct{}), goOn: make(chan struct{})}
	if !l.Post(func() { l.jobs.hold = h }) {
		return nil, errIsEnding
	}
	select {
	case <-h.still:
		return h, h.err
	case <-ended:
		return nil, errIsEnding
	}
}

// mostWaited is how many turns a loop goes on for what takes several, before the rest is done in one go: so others are served while
// somebody's long queue is thrown away, and nobody who always throws something away keeps the loop from standing still.
const mostWaited = 4096

// isTime is called between two turns until it says yes; at work says that something is under way that takes several.
func (h *Hold) isTime(atWork bool) bool {
	h.waited++
	return !atWork || h.waited > mostWaited
}

// GoOn has the loop go on as if nothing had been.
func (h *Hold) GoOn() { close(h.goOn) }

// standStill is called on the loop, between two turns.
func standStill(l *Loop) {
	h := l.jobs.hold
	l.jobs.hold = nil
	h.State, h.err = stateOf(l, h.descriptors)
	close(h.still)
	if h.err == nil {
		<-h.goOn // which never comes if another process goes on
	}
	l.wakeOthers()
}

// tries is how often something may turn up that was to be done in several turns.
const tries = 8

func stateOf(l *Loop, d *Descriptors) (*State, error) {
	if l.stopping || l.finished {
		return nil, errIsEnding
	}
	for range tries {
		if !finishWork(l) {
			continue
		}
		engine, indexes, err := session.StateOf(l.engine)
		if err == bus.ErrAtWork {
			continue
		}
		if err != nil {
			return nil, err
		}
		s := &State{Number: l.number, Engine: engine, Refused: l.listener.refused, LastReporter: l.lastReporter}
		s.Listener, s.Alarm = d.Add(l.listener.FD), d.Add(l.alarm)
		for fd, c := range l.conns {
			if c == nil || c.fd != fd {
				continue
			}
			of, err := connState(c, d)
			if err != nil {
				return nil, err
			}
			of.Session = indexes[c.session]
			s.Conns = append(s.Conns, of)
		}
		if l.device != nil {
			s.Device = device.StateOf(l.device, ksockIndexes(l.bus))
			s.Device.Conn = d.Add(l.deviceFD())
		}
		return s, nil
	}
	return nil, errIsBusy
}

// finishWork does what takes several turns, ends connections that are to end, and takes back what windows show. It reports
// false if it should be called again.
func finishWork(l *Loop) bool {
	for l.bus.Sweep(sweepPerTurn) {
	}
	again := false
	for fd, c := range l.conns {
		if c == nil || c.fd != fd {
			continue
		}
		for c.session.Reporting() {
			c.session.Continue()
			again = true
		}
	}
	l.wakeOthers()
	if l.crowd.wakeAll(l); again {
		return false
	}
	bus.TakeBack(l.bus)
	for fd, c := range l.conns {
		if c == nil || c.fd != fd {
			continue
		}
		switch r := c.rings; {
		case r != nil && r.spoiled != nil:
			l.end(c, r.spoiled)
			again = true
		case session.IsEnding(c.session):
			l.turn(c, false)
			again = true
		}
	}
	if again {
		l.wakeOthers()
	}
	return !again
}

// ksockIndexes tells the index of a Ksock in the state of its bus.
func ksockIndexes(b *bus.Bus) func(*bus.Ksock) int {
	indexes := map[*bus.Ksock]int{}
	for k := range b.Ksocks() {
		indexes[k] = len(indexes)
	}
	return func(k *bus.Ksock) int { return indexes[k] }
}

func connState(c *conn, d *Descriptors) (s ConnState, err error) {
	s = ConnState{Socket: d.Add(c.fd), Blocked: c.blocked, Logged: c.logged, Rest: c.rest[c.at:]}
	s.Identity = c.peer.Judge.(*rules.Judge).Who
	r := c.rings
	if r == nil {
		return s, nil
	}
	s.Rings = &RingsState{
		Memory: d.Add(r.share), Bell: d.Add(r.bell), Theirs: d.Add(r.theirs), Hears: d.Add(r.hearing),
		Introduced: r.introduced, Begun: r.begun, Arena: r.arena, Changed: r.changed, Closed: r.closed, Want: r.window.wanting,
	}
	s.Rings.Ring, err = ring.StateOf(r.segment, r.reader, r.writer, r.window.ring)
	return s, err
}
