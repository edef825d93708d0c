package bus

import (
	"slices"
	"sort"

	"kbus.example/kbus/message"
)

// A name can be *startable*: there is a program that becomes its Replier when somebody starts it. A Request of such a name that
// finds no Replier is accepted and *held*: it has its id and its place in the one order, Listeners get it, its sender expects
// the answer, and the owner of the bus is called upon to start the program (Calls). When a Replier of the name is bound, by
// whomever, it gets all that is held for it in that step, the oldest first, before anything that comes later. Or the owner
// says why nobody will be (NotStarted), and each has its Status.
//
// So a held Request is nobody's queue entry, but like one: it is charged, to its sender's user, there is a limit, it stays when
// its sender closes, and it always fits into the queue that it goes to. A stateful Request is not held, for the Ksock that it
// is meant for will not come back.
//
// The places of a name are shared out as bytes in queues are (see accounts.fits): a user has at most half of those that the others
// leave. So nobody who asks without end keeps another user from asking.

// DefaultHeld is how many Requests of one name may be held: as many as a queue has room for at first.
const DefaultHeld = 100

// mostNotStartedBytes limits the text of a Status NotStarted.
const mostNotStartedBytes = 1000

// Call is what a bus tells its owner of a startable name: a Request is held for it, and it was the first; or it has a Replier.
type Call struct {
	Name  string
	Bound bool
}

// startable is what a bus has for that; the zero value is a bus without such names.
type startable struct {
	of      *Bus
	names   map[string]*room
	waiting []*room // those in which something is held, in no order
	ever    uint64  // how many Requests were held
	calls   []Call
	refused [2]int // when the last was not held: how many of its name were, and how many of those were its user's
}

// room is what is held for one name.
type room struct {
	name   string
	held   []held   // oldest first
	shares []holder // of the users who have asked, and how often
	at     int      // its place in waiting
}

type held struct {
	msg    *stored
	payer  *account
	number uint64 // tells the order of all that are held
}

// of gives how many of those that are held are a user's.
func (r *room) of(a *account) int {
	for i := range r.shares {
		if r.shares[i].account == a {
			return int(r.shares[i].copies)
		}
	}
	return 0
}

// SetStartable sets which names can be started: exact ones. What is held for others has its Status now.
func (s *startable) SetStartable(names []string) {
	before := s.names
	s.names = nil
	if len(names) > 0 {
		s.names = make(map[string]*room, len(names))
	}
	for _, n := range names {
		if s.names[n] = before[n]; s.names[n] == nil {
			s.names[n] = &room{name: n}
		}
	}
	s.failHeld(func(r *room) bool { return s.names[r.name] != r }, "its service is not configured any more")
	s.of.wakes.allPending()
}

// Calls gives what there is to tell since the last call. The slice is valid until the next one.
func (s *startable) Calls() []Call {
	calls := s.calls
	s.calls = s.calls[:0]
	return calls
}

// CallAgain is for an owner that was told by another, whose place it takes, of nothing: it is called for each name for which a Request
// is held.
func (s *startable) CallAgain() {
	for _, r := range s.waiting {
		if !slices.Contains(s.calls, Call{Name: r.name}) {
			s.calls = append(s.calls, Call{Name: r.name})
		}
	}
}

// Held is how many Requests are held for a name.
func (s *startable) Held(name string) int {
	if r := s.names[name]; r != nil {
		return len(r.held)
	}
	return 0
}

// NotStarted answers all Requests that are held for a name with the Status NotStarted, and why as its data.
func (s *startable) NotStarted(name, why string) {
	if s.Held(name) == 0 {
		return
	}
	s.failHeld(func(r *room) bool { return r.name == name }, why)
	s.of.wakes.named(name)
}

// failHeld answers what is held in some rooms: very many Requests in pieces, as any debt.
func (s *startable) failHeld(which func(*room) bool, why string) {
	text := []byte(why[:min(len(why), mostNotStartedBytes)])
	gone := s.takeHeld(which)
	var d *debt
	if s.of.tooMany(0, len(gone)) {
		d = s.of.owes(&debt{name: message.NameNotStarted, why: text}, len(gone))
	}
	for _, h := range gone {
		m := h.msg
		if d != nil { // and freed in pieces, too
			d.list.pushBack(owed{m.head.ID, m.head.From})
			s.of.refuse(h.payer).pushBack(entry{msg: m})
			continue
		}
		s.of.statusTo(message.NameNotStarted, text, 0, m.head.From, m.head.ID)
		s.of.letGo(m, h.payer)
		s.of.release(m)
	}
}

// takeHeld takes what is held in some rooms, in the order of the bus. The caller owns it.
func (s *startable) takeHeld(which func(*room) bool) (gone []held) {
	for i := len(s.waiting) - 1; i >= 0; i-- {
		if r := s.waiting[i]; which(r) {
			gone = append(gone, r.held...)
			s.vacate(r)
		}
	}
	s.of.Work(len(s.waiting) + len(gone))
	sortHeld(gone)
	return gone
}

// vacate has nothing held in a room. The last of those that wait takes its place.
func (s *startable) vacate(r *room) {
	last := s.waiting[len(s.waiting)-1]
	s.waiting[r.at], last.at = last, r.at
	s.waiting[len(s.waiting)-1] = nil
	s.waiting = s.waiting[:len(s.waiting)-1]
	r.held, r.shares = nil, nil
}

// allHeld is what is held, in the order of the bus.
func (s *startable) allHeld() (all []held) {
	for _, r := range s.waiting {
		all = append(all, r.held...)
	}
	sortHeld(all)
	return all
}

func sortHeld(list []held) {
	sort.Slice(list, func(i, j int) bool { return list[i].number < list[j].number })
}

// holds reports whether a Request without a Replier would be held, if there is room.
func (s *startable) holds(h *message.Header, name []byte) bool {
	return s.names != nil && h.To == 0 && s.names[string(name)] != nil
}

// mayHold is decide's part for a Request that is held.
func (s *startable) mayHold(from *Ksock, h *message.Header, name []byte) message.Condition {
	b, p := s.of, &s.of.plan
	p.bill.add(from.account, perCopy, false) // for the open Request
	r := s.names[string(name)]
	all, own := len(r.held), r.of(from.account)
	if !mayHaveOneMore(own, all, b.config.MaxHeld) {
		s.refused = [...]int{all, own}
		return p.full(h, nil, message.ErrReplierFull)
	}
	c := b.afford(from, &p.bill)
	if c != message.OK && h.Flags.Has(message.AllOrWait) { // as if its own queue were the full one
		p.short = p.bill.billed(from.account) + p.bill.copy(from.account)
		return p.full(h, from, c)
	}
	return c
}

// keepHeld holds a Request.
func (s *startable) keepHeld(from *Ksock, m *stored) {
	if s.keep(m, from.account) == 1 {
		s.calls = append(s.calls, Call{Name: string(m.name())})
	}
}

// keep holds a Request at a user's expense, and gives how many are held for its name then.
func (s *startable) keep(m *stored, payer *account) int {
	m.refs++
	s.of.hold(m, payer)
	r := s.names[string(m.name())]
	s.ever++
	r.held = append(r.held, held{m, payer, s.ever})
	if i := slices.IndexFunc(r.shares, func(h holder) bool { return h.account == payer }); i >= 0 {
		r.shares[i].copies++
	} else {
		r.shares = append(r.shares, holder{payer, 1})
	}
	if len(r.held) == 1 {
		r.at = len(s.waiting)
		s.waiting = append(s.waiting, r)
	}
	return len(r.held)
}

// replierCame gives a Replier that is bound now what is held for it.
func (s *startable) replierCame(n *binding) {
	if s.names == nil {
		return
	}
	which := func(r *room) bool { return message.Matches(n.name, r.name) }
	if !n.wildcard {
		if s.names[n.name] == nil {
			return
		}
		s.calls = append(s.calls, Call{Name: n.name, Bound: true})
		which = func(r *room) bool { return r.name == n.name }
	}
	if len(s.waiting) == 0 {
		return
	}
	for _, h := range s.takeHeld(which) {
		if name := string(h.msg.name()); n.wildcard && !s.called(name) {
			s.calls = append(s.calls, Call{Name: name, Bound: true})
		}
		s.of.push(n.ksock, h.msg, n)
		s.of.letGo(h.msg, h.payer)
		s.of.release(h.msg)
	}
}

// called reports whether it has been told already that a name has a Replier.
func (s *startable) called(name string) bool {
	return slices.Contains(s.calls, Call{Name: name, Bound: true})
}
