package bus

import (
	"fmt"

	"kbus.example/kbus/message"
)

// From a State to a bus. A State comes from another process, perhaps of another version, so what does not fit together in
// it is an error and no panic.

// restoring is a bus that is being made.
type restoring struct {
	*State
	b        *Bus
	ksocks   []*Ksock
	bindings []*binding
	messages []*stored
	err      error // the first thing that does not fit
}

// FromState makes a bus of a State, which must stay as it is while the bus Borrows, with the limits and the Keeper of c; the rest of c is not looked at. ksocks are those
// of State.Ksocks. The owner of the bus sets their Tags, Judges (SetJudge) and windows, and its own hooks.
func FromState(s *State, c Config) (b *Bus, ksocks []*Ksock, err error) {
	f := &s.Fixed
	b = New(Config{
		MaxMessageBytes: f.MaxMessageBytes, AbsMaxMessageBytes: f.AbsMaxMessageBytes, MaxMessages: f.MaxMessages,
		MaxSetAside: f.MaxSetAside, MaxHeld: f.MaxHeld, Incarnation: f.Incarnation, Limits: c.Limits, Keeper: c.Keeper,
	})
	r := &restoring{State: s, b: b}
	r.ownWords()
	r.makeKsocks()
	r.makeBindings()
	for i := range s.Messages {
		m := &s.Messages[i]
		made := b.store.borrow(m)
		made.audience = audience(m.ListenersOnly)
		r.messages = append(r.messages, made)
	}
	for i := range s.Ksocks {
		r.fill(r.ksocks[i], &s.Ksocks[i])
	}
	r.setAside(&s.Aside, &b.bindings.aside)
	r.startable()
	r.carriage()
	r.wakes()
	if r.check(); r.err != nil {
		return nil, nil, fmt.Errorf("bus: bad state: %w", r.err)
	}
	return b, r.ksocks, nil
}

// SetJudge gives a Ksock of a bus that was made from a State its Judge.
func SetJudge(k *Ksock, j Judge) { k.owner.Judge = j }

func (r *restoring) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// pick gives what is at an index of a list, and the zero value for None.
func pick[T any](r *restoring, list []T, at int) (v T) {
	switch {
	case at == None:
	case at < 0 || at >= len(list):
		r.fail("index %d of %d", at, len(list))
	default:
		v = list[at]
	}
	return v
}

func (r *restoring) ownWords() {
	b, w, n := r.b, &r.Switches, &r.Counters
	b.maxMessageBytes, b.verbose, b.reportBinds, b.stopping = w.MaxMessageBytes, w.Verbose, w.ReportBinds, w.Stopping
	b.askers.strict = w.StrictAsk
	b.nextKsock, b.nextSerial, b.shared, b.decided = n.NextKsock, n.NextSerial, n.SharedIDs, n.Decided
	b.worked, b.quickly = n.Worked, n.Quickly
	b.switched = w.Switched
	d := &b.departed
	d.owners, d.next, d.sweep = r.Departed.Owners, r.Departed.Next, r.Departed.Sweep
	if len(d.owners) == 0 {
		d.owners = nil
	}
	if copy(d.recent[:], r.Departed.Recent) < recentlyClosed || d.next < 0 || d.next >= recentlyClosed {
		r.fail("the list of closed Ksocks has %d indexes, and the next is %d", len(r.Departed.Recent), d.next)
		d.next = 0
	}
}

// makeKsocks makes the Ksocks, oldest first as they were opened, with nothing in them.
func (r *restoring) makeKsocks() {
	b := r.b
	r.ksocks = make([]*Ksock, len(r.Ksocks))
	for i := len(r.Ksocks) - 1; i >= 0; i-- {
		s := &r.Ksocks[i]
		a := r.account(s.Owner.UID)
		a.ksocks++
		b.accounts.all.ksocks++
		k := &Ksock{}
		k.id, k.owner, k.account, k.open, k.older, k.lastFrom = s.ID, s.Owner, a, true, b.newest, s.LastFrom
		if b.newest != nil {
			b.newest.newer = k
		}
		b.newest, b.ksocks[k.id], r.ksocks[i] = k, k, k
		k.queue.entries.pool = b.store.entries
		r.settings(k, &s.Settings)
	}
}

func (r *restoring) account(uid uint32) *account {
	of := &r.b.accounts
	a := of.users[uid]
	if a == nil {
		if a = (&account{uid: uid}); of.users == nil {
			of.users = map[uint32]*account{}
		}
		of.users[uid] = a
	}
	return a
}

func (r *restoring) settings(k *Ksock, s *KsockSettings) {
	k.maxMessages, k.strict, k.onlyOnce, k.asks = s.MaxMessages, s.Strict, s.OnlyOnce, s.AsksForEvents
	k.carries, k.names = s.Carries, s.NamesTheNetwork
	r.b.askers.strictOpen += oneIf(k.strict)
	r.b.askers.others += oneIf(k.asks)
	r.b.carriage.namers += oneIf(k.names)
}

func (r *restoring) makeBindings() {
	t := &r.b.bindings
	for i := range r.Bindings {
		s := &r.Bindings[i]
		n := &binding{name: s.Name, replier: s.Replier, standby: s.Standby, of: s.Of, card: s.Card, ksock: pick(r, r.ksocks, s.Ksock)}
		n.wildcard = message.ClassOf(n.name) != message.Exact
		g := t.group(n.name)
		if n.ksock == nil || s.Made <= t.made || n.replier && g != nil && g.replier != nil {
			r.fail("binding %d does not fit those before it", i)
			return
		}
		a, all := n.ksock.account, &r.b.accounts.all
		for _, of := range []*account{a, all} {
			of.bindings++
			of.wildcards += oneIf(n.wildcard)
		}
		r.b.accounts.charge(a, cardCharge(n.card))
		t.made = s.Made - 1
		t.add(n)
		r.bindings = append(r.bindings, n)
	}
	t.made = r.Counters.Made
}

// fill puts into a Ksock what it holds.
func (r *restoring) fill(k *Ksock, s *KsockState) {
	b := r.b
	r.queue(k, &s.Queue)
	m := &s.Missed
	k.missed = missed{total: m.Total, since: m.Since, reported: m.Reported, got: m.Got}
	k.lastSent = s.Sending.LastSent
	if k.pending = pick(r, r.messages, s.Sending.Message); k.pending != nil {
		k.pending.refs++
		b.hold(k.pending, k.account)
		b.waitFor(k, pick(r, r.ksocks, s.Sending.Blocker), s.Sending.Short)
	}
	for _, id := range s.Asked {
		k.outstanding.add(id)
	}
	for _, o := range s.Owed {
		k.unreplied.add(owed{o.ID, o.Requester})
	}
	k.outstandingMost, k.unrepliedMost = s.Most[0], s.Most[1]
	if len(s.GivenUp) > 0 {
		k.givenUp.times = s.GivenUp
		for _, times := range s.GivenUp {
			k.givenUp.all += times
		}
	}
	b.accounts.charge(k.account, perCopy*int64(len(s.Asked)+len(s.Owed)+k.givenUp.all))
	r.setAside(&s.Aside, &k.asideOwn)
}

func (r *restoring) queue(k *Ksock, s *QueueState) {
	q := &k.queue
	q.front, q.back, q.lookFrom = s.Front, s.Front, s.Back
	for _, e := range s.Entries {
		m, via := pick(r, r.messages, e.Message), pick(r, r.bindings, e.Via)
		if number := e.Number >> 1; m == nil || number < q.back || number >= s.Back || via != nil && via.ksock != k {
			r.fail("an entry in the queue of Ksock %d does not fit those before it", k.id)
			return
		}
		m.refs++
		r.b.hold(m, k.account)
		q.back = e.Number >> 1
		q.push(entry{msg: m, via: via, missed: e.Missed}, false)
		q.at(q.entries.len() - 1).number = e.Number
	}
	q.back, q.toLook, q.lookFrom, k.lastPushed = s.Back, s.ToLook, s.LookFrom, s.LastPushed
}

func (r *restoring) setAside(s *SetAsideState, a *setAside) {
	for _, e := range s.Events {
		m, via := pick(r, r.messages, e.Message), pick(r, r.bindings, e.Via)
		if m == nil || via == nil || r.b.asideOf(via.ksock) != a || e.Number <= a.number {
			r.fail("an event that was set aside does not fit those before it")
			return
		}
		a.number = e.Number - 1
		r.b.addAside(via, m)
	}
	a.number, a.tragic = s.Number, s.Tragic
}

func (r *restoring) startable() {
	t := &r.b.startable
	if len(r.Startable.Names) > 0 {
		t.names = map[string]*room{}
	}
	for _, name := range r.Startable.Names {
		t.names[name] = &room{name: name}
	}
	for _, s := range r.Startable.Held {
		m := pick(r, r.messages, s.Message)
		if m == nil || t.names[string(m.name())] == nil {
			r.fail("a Request that is held is none")
			return
		}
		t.keep(m, r.account(s.Payer))
	}
	t.calls = r.Startable.Calls
}

func (r *restoring) carriage() {
	t := &r.b.carriage
	t.network, t.turn = r.Carriage.Network, r.Carriage.Turn
	for _, s := range r.Carriage.Others {
		h := &hearing{ReplayWindow: s.Window, used: s.Used}
		if s.Way == closedWay {
			h.way = &Ksock{}
		} else {
			h.way = pick(r, r.ksocks, s.Way)
		}
		if t.seen == nil {
			t.seen = map[source]*hearing{}
		}
		t.seen[source{s.Network, s.Incarnation}] = h
	}
}

// wakes sets what the owner is owed. Making the rest has woken Ksocks, too, and that does not count.
func (r *restoring) wakes() {
	w := &r.b.wakes
	for _, k := range w.readers {
		k.woken = false
	}
	w.readers = r.list(r.Wakes.Readers)
	w.due = r.list(r.Wakes.Due)
	w.pending = r.list(r.Wakes.Pending)
	for _, k := range w.readers {
		k.woken = true
	}
	for _, k := range w.due {
		k.due = true
	}
}

func (r *restoring) list(indexes []int) (ksocks []*Ksock) {
	for _, at := range indexes {
		k := pick(r, r.ksocks, at)
		if k == nil {
			r.fail("a Ksock that is woken or waits is none")
			return nil
		}
		ksocks = append(ksocks, k)
	}
	return ksocks
}

// check compares what follows from the rest with what is said of it.
func (r *restoring) check() {
	for i, m := range r.messages {
		if m.refs == 0 {
			r.fail("nothing refers to message %d", i)
		}
	}
	sending := 0
	for _, k := range r.ksocks {
		sending += oneIf(k.pending != nil)
	}
	if sending != len(r.b.wakes.pending) {
		r.fail("%d messages wait for room, and %d Ksocks with one are listed", sending, len(r.b.wakes.pending))
	}
	for uid, bytes := range r.Charges {
		switch a := r.b.accounts.users[uid]; {
		case a == nil && bytes == 0:
		case a == nil || a.bytes != bytes:
			r.fail("user %d is charged %d bytes, and that does not add up", uid, bytes)
		}
	}
}
