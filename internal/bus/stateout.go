package bus

import (
	"errors"
	"slices"
	"sort"

	"kbus.example/kbus/message"
)

// From a bus to its State. Nothing of the bus changes, so the bus can go on as if nobody had looked.

// ErrAtWork is for a bus with something under way that takes several turns: messages to be swept, or a walk.
var ErrAtWork = errors.New("bus: something is under way that takes several turns")

// indexes number what the bus points at.
type indexes struct {
	ksocks   map[*Ksock]int
	bindings map[*binding]int
	messages map[*stored]int
	state    *State
}

// StateOf gives the state of a bus. What windows show must have been taken back, and nothing may be under way: ErrAtWork. The
// bytes of messages are the bus's own and valid until its next operation.
func StateOf(b *Bus) (*State, error) {
	walks := len(b.walks) + len(b.bindings.walks)
	if b.departed.sorting != nil { // it begins again
		walks--
	}
	if b.Littered() || walks > 0 {
		return nil, ErrAtWork
	}
	s := &State{Aside: SetAsideState{}, Charges: map[uint32]int64{}}
	p := &indexes{ksocks: map[*Ksock]int{nil: None}, bindings: map[*binding]int{nil: None}, state: s}
	p.number(b)
	queued := 0
	for k := b.newest; k != nil; k = k.older {
		queued += k.queue.entries.len()
	}
	few := min(queued, mostExpected)
	p.messages = make(map[*stored]int, few)
	p.messages[nil] = None
	s.Messages = make([]MessageState, 0, few)
	s.Ksocks = make([]KsockState, 0, len(b.ksocks))
	s.ownWords(b)
	for k := b.newest; k != nil; k = k.older {
		s.Ksocks = append(s.Ksocks, p.ksock(k))
	}
	s.Aside = p.aside(&b.bindings.aside)
	s.Startable = p.startable(&b.startable)
	s.Departed = departedState(&b.departed)
	s.Carriage = p.carriage(&b.carriage)
	s.Wakes = WakesState{p.list(b.wakes.readers), p.list(b.wakes.due), p.list(b.wakes.pending)}
	for uid, a := range b.accounts.users {
		s.Charges[uid] = a.bytes
	}
	return s, nil
}

// mostExpected is for how many messages there is room at once. To grow takes as long as to fill; but of one message there may be
// an entry in very many queues.
const mostExpected = 1 << 14

// number gives Ksocks and bindings their indexes. Bindings are found newest first.
func (p *indexes) number(b *Bus) {
	for k := b.newest; k != nil; k = k.older {
		p.ksocks[k] = len(p.ksocks) - 1
	}
	for n := b.bindings.newest; n != nil; n = n.older {
		p.state.Bindings = append(p.state.Bindings, BindingState{
			Ksock: p.ksocks[n.ksock], Name: n.name, Replier: n.replier, Standby: n.standby, Of: n.of, Made: n.made, Card: n.card,
		})
	}
	slices.Reverse(p.state.Bindings)
	at := len(p.state.Bindings)
	for n := b.bindings.newest; n != nil; n = n.older {
		at--
		p.bindings[n] = at
	}
}

// ownWords is what the bus knows beside Ksocks, bindings and messages.
func (s *State) ownWords(b *Bus) {
	c := &b.config
	s.Fixed = Fixed{
		MaxMessageBytes: c.MaxMessageBytes, AbsMaxMessageBytes: c.AbsMaxMessageBytes, MaxMessages: c.MaxMessages,
		Incarnation: c.Incarnation, MaxSetAside: c.MaxSetAside, MaxHeld: c.MaxHeld,
	}
	s.Switches = Switches{
		MaxMessageBytes: b.maxMessageBytes, Verbose: b.verbose, ReportBinds: b.reportBinds, StrictAsk: b.askers.strict,
		Stopping: b.stopping, Switched: slices.Clone(b.switched),
	}
	for i := range s.Switches.Switched {
		s.Switches.Switched[i].By = s.Switches.Switched[i].By.gone()
	}
	s.Counters = Counters{
		NextKsock: b.nextKsock, NextSerial: b.nextSerial, SharedIDs: b.shared, Decided: b.decided, Made: b.bindings.made,
		Worked: b.worked, Quickly: b.quickly,
	}
}

func (p *indexes) list(of []*Ksock) (indexes []int) {
	for _, k := range of {
		indexes = append(indexes, p.ksocks[k])
	}
	return indexes
}

// message is the index of a message, which it gets when it is first met.
func (p *indexes) message(m *stored) int {
	at, known := p.messages[m]
	if !known {
		at = len(p.state.Messages)
		p.messages[m] = at
		p.state.Messages = append(p.state.Messages, MessageState{
			Header: m.head, Name: m.name(), Data: m.data(), Trace: m.trace(), ListenersOnly: m.audience == listenersOnly,
		})
	}
	return at
}

func (p *indexes) ksock(k *Ksock) KsockState {
	s := KsockState{
		ID: k.id, Owner: k.owner.gone(), LastFrom: k.lastFrom,
		Settings: KsockSettings{
			MaxMessages: k.maxMessages, Strict: k.strict, OnlyOnce: k.onlyOnce, AsksForEvents: k.asks,
			Carries: k.carries, NamesTheNetwork: k.names,
		},
		Queue:   p.queue(k),
		Aside:   p.aside(&k.asideOwn),
		Missed:  MissedState{k.missed.total, k.missed.got, k.missed.since, k.missed.reported},
		Sending: SendingState{p.message(k.pending), p.ksocks[k.blocker], k.short, k.lastSent},
		Asked:   k.outstanding.all(),
		GivenUp: k.givenUp.times,
		Most:    [2]uint32{k.outstandingMost, k.unrepliedMost},
	}
	for _, o := range k.unreplied.all() {
		s.Owed = append(s.Owed, OwedState{o.id, o.requester})
	}
	return s
}

func (p *indexes) queue(k *Ksock) QueueState {
	q := &k.queue
	s := QueueState{Front: q.front, Back: q.back, ToLook: q.toLook, LookFrom: q.lookFrom, LastPushed: k.lastPushed}
	s.Entries = make([]EntryState, 0, q.entries.len())
	for i := range q.entries.len() {
		if e := q.at(i); e.msg != nil {
			s.Entries = append(s.Entries, EntryState{p.message(e.msg), p.bindings[e.via], e.number, e.missed})
		}
	}
	return s
}

// all is what is in a ledger, oldest first.
func (l *ledger[K]) all() (keys []K) {
	for i := range l.list.len() {
		if e := l.list.at(i); !e.hole {
			keys = append(keys, e.key)
		}
	}
	return keys
}

func (p *indexes) aside(a *setAside) SetAsideState {
	s := SetAsideState{Number: a.number, Tragic: a.tragic}
	for e := a.oldest; e != nil; e = e.newer {
		s.Events = append(s.Events, AsideState{p.bindings[e.via], p.message(e.msg), e.number})
	}
	return s
}

func (p *indexes) startable(of *startable) (s StartableState) {
	for name := range of.names {
		s.Names = append(s.Names, name)
	}
	sort.Slice(s.Names, func(i, j int) bool { return s.Names[i] < s.Names[j] })
	for _, h := range of.allHeld() {
		s.Held = append(s.Held, HeldState{p.message(h.msg), h.payer.uid})
	}
	s.Calls = slices.Clone(of.calls)
	return s
}

func departedState(d *departed) DepartedState {
	s := DepartedState{Owners: map[message.KsockID]Owner{}, Recent: slices.Clone(d.recent[:]), Next: d.next, Sweep: d.sweep}
	for id, o := range d.owners {
		s.Owners[id] = o.gone()
	}
	return s
}

func (p *indexes) carriage(t *carriage) CarriageState {
	s := CarriageState{Network: t.network, Turn: t.turn}
	for of, h := range t.seen {
		way, open := p.ksocks[h.way]
		if !open {
			way = closedWay
		}
		s.Others = append(s.Others, OtherBusState{of.network, of.incarnation, h.ReplayWindow, way, h.used})
	}
	return s
}
