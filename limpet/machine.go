package limpet

import (
	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Config is what a Machine knows at the beginning.
type Config struct {
	OwnID  uint32       // network id of our bus: no other bus of all that are joined has the same
	PairID uint32       // that of the bus at the other end
	Ksock  kbus.KsockID // the id of our Ksock on its bus; Join knows it
	Name   string       // what is passed on to the pair: messages it matches, Repliers bound to names it covers
	StopOn string       // a message of this name, from the bus, ends the Limpet; may be empty
	// MaxNames is how many names the pair may have us stand for; 0 for no limit but the bus's own on bindings.
	MaxNames int
	Legacy   bool // the pair may be an original Limpet: keep from it what it would misunderstand

	// What distinguishes a message from a copy of it that comes another way; see Ksock.Carry. Join sees to both.
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
	actions actions
	proxies proxies // Repliers beyond the link
	answers answers // to Requests on our bus

	requests   map[kbus.ID]kbus.KsockID // on our bus, to be answered by the pair: the Requesters
	asked      map[kbus.ID]struct{}     // from the pair, to be answered by our bus
	announced  map[string]kbus.KsockID  // Repliers on our bus that the pair knows of: their Ksock
	figures    Figures
	incomplete bool // the bus could not report all Repliers again
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
	Unproxied        uint64 // offers of names that were too many
}

// New makes a Machine, for a Ksock that has been Prepared.
func New(c Config) *Machine {
	m := &Machine{
		Config: c, requests: map[kbus.ID]kbus.KsockID{}, asked: map[kbus.ID]struct{}{}, announced: map[string]kbus.KsockID{},
	}
	m.proxies = newProxies(&m.Config, &m.actions)
	m.answers.actions = &m.actions
	return m
}

// Next gives the next Action, or reports false when there is none.
func (m *Machine) Next() (Action, bool) { return m.actions.next() }

func (m *Machine) toPair(msg *kbus.Message) {
	m.figures.ToPair++
	m.actions.emit(Action{Kind: ToPair, Message: msg})
}

// Done takes what became of an Action. There may be more to do afterwards.
func (m *Machine) Done(did Action, o Outcome) {
	switch did.Kind {
	case Bind, Unbind:
		m.proxies.done(did, o.Condition)
	case Snapshot:
		if o.Condition == message.OK {
			m.compare(o.Bindings)
		}
		m.incomplete = o.Incomplete || o.Condition != message.OK
	case Resolve:
		m.resolved(did.Message, o)
	case Send, SendToListeners:
		if o.Condition != message.OK {
			m.notSent(did, o.Condition)
		}
	}
}

// Pending reports whether something could not be done that may be possible soon.
func (m *Machine) Pending() bool {
	return m.incomplete || len(m.answers.untaken)+len(m.proxies.pending) > 0
}

// Blocked reports whether we want to be proxies for names that our bus has another Replier for, or no room. When that one
// goes we see it, unless the bus does not decide that.
func (m *Machine) Blocked() bool { return len(m.proxies.blocked) > 0 }

// Retry emits the Actions that failed and are still to be done; with blocked also those of which Blocked reports.
func (m *Machine) Retry(blocked bool) {
	m.answers.retry()
	if m.incomplete {
		m.incomplete = false
		m.actions.emit(Action{Kind: Snapshot, Again: true})
	}
	m.proxies.retry(blocked)
}

// Figures are what has been done so far.
func (m *Machine) Figures() Figures {
	f := m.figures
	f.Open, f.Asked, f.Proxied, f.Unproxied = len(m.requests), len(m.asked), m.proxies.bound(), m.proxies.refused
	return f
}
