package limpet

import (
	"kbus"
	"kbus/message"
)

// Config is what a Machine is told at the beginning.
type Config struct {
	OwnID  uint32 // network id of our bus: no other bus of all that are joined has the same
	PairID uint32 // that of the bus at the other end
	Ksock  uint32 // the id of our Ksock on its bus; Join knows it
	Name   string // what is passed on to the pair: messages it matches, Repliers bound to names it covers
	StopOn string // a message of this name, from the bus, ends the Limpet; may be empty
	Legacy bool   // the pair may be an original Limpet: keep from it what it would misunderstand (B21)

	// What tells a message from a copy of it that comes another way; see Ksock.Carry. Join sees to both.
	Incarnation uint32 // of our bus, 0 if it does not know copies
	Link        uint32 // a number of this link's own, for what comes from the pair and has no incarnation
}

// Machine is one end of a pair, for as long as both the link and the Ksock last; when either is lost a new Machine with
// a new Ksock begins afresh. So nothing has to be remembered over a loss: closing the Ksock gives every Request of the
// bus that is still open its Status and takes the proxies away, and a Reply that comes too late finds nobody.
//
// It does no I/O and has no clock. It is not safe for concurrent use.
//
// What came from the pair is known by its sender, which is our Ksock, and by its network id where another Limpet has
// carried it on; it is never sent back. Where buses are joined twice, or to a ring, copies of a message come by several
// ways, and each bus itself takes only the first.
type Machine struct {
	Config
	duties []Duty
	done   int // of duties

	requests  map[kbus.ID]uint32   // on our bus, to be answered by the pair: who asked
	asked     map[kbus.ID]struct{} // from the pair, to be answered by our bus
	proxies   map[string]*proxy    // Repliers beyond the link
	announced map[string]uint32    // Repliers on our bus of whom the pair has been told: their Ksock
	owed      []Duty               // answers that the bus could not take
	unsettled map[string]*proxy    // proxies that are not as they are wanted
	blocked   map[string]*proxy    // wanted proxies for whose names our bus has another Replier, or no room
	figures   Figures
}

// Figures count what a Machine has done.
type Figures struct {
	ToPair, FromPair uint64 // messages
	Lost             uint64 // Announcements from the pair that our bus refused
	Copies           uint64 // messages from the pair that had come another way
	Returned         uint64 // messages that we had passed on, and that came back: the buses are joined to a ring
	Open             int    // Requests that wait for the pair
	Asked            int    // Requests of the pair's that wait for our bus
	Proxied          int    // names that we are Replier for
}

// New makes a Machine, for a Ksock that has been Prepared.
func New(c Config) *Machine {
	return &Machine{
		Config:    c,
		requests:  map[kbus.ID]uint32{},
		asked:     map[kbus.ID]struct{}{},
		proxies:   map[string]*proxy{},
		announced: map[string]uint32{},
		unsettled: map[string]*proxy{},
		blocked:   map[string]*proxy{},
	}
}

// Next gives the next duty, or reports false when there is none.
func (m *Machine) Next() (Duty, bool) {
	if m.done == len(m.duties) {
		clear(m.duties)
		m.duties, m.done = m.duties[:0], 0
		return Duty{}, false
	}
	m.done++
	return m.duties[m.done-1], true
}

func (m *Machine) owe(d Duty) { m.duties = append(m.duties, d) }

func (m *Machine) toPair(msg *kbus.Message) {
	m.figures.ToPair++
	m.owe(Duty{Do: ToPair, Message: msg})
}

// Done tells what became of a duty. There may be more to do afterwards.
func (m *Machine) Done(d Duty, o Outcome) {
	switch d.Do {
	case Bind, Unbind:
		m.settled(d, o.Condition)
	case Snapshot:
		if o.Condition == message.OK {
			m.compare(o.Bindings)
		}
	case Resolve:
		m.resolved(d.Message, o)
	case Send, SendToListeners:
		if o.Condition != message.OK {
			m.notSent(d, o.Condition)
		}
	}
}

// Unsettled tells whether something could not be done that may be possible soon.
func (m *Machine) Unsettled() bool { return len(m.owed)+len(m.unsettled) > 0 }

// Blocked tells whether we want to be proxies for names that our bus has another Replier for, or no room. When that one
// goes we see it, unless it is not for the bus to say.
func (m *Machine) Blocked() bool { return len(m.blocked) > 0 }

// Retry gives the duties that failed and are still to be done; with blocked also those of which Blocked tells.
func (m *Machine) Retry(blocked bool) {
	for _, d := range m.owed {
		d.Again = true
		m.owe(d)
	}
	m.owed = nil
	for name, p := range m.unsettled {
		m.settle(name, p, true)
	}
	if blocked {
		for name, p := range m.blocked {
			m.settle(name, p, true)
		}
	}
}

// Figures tells what has been done so far.
func (m *Machine) Figures() Figures {
	f := m.figures
	f.Open, f.Asked = len(m.requests), len(m.asked)
	for _, p := range m.proxies {
		if p.have {
			f.Proxied++
		}
	}
	return f
}
