package routing

import (
	"slices"
	"time"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// The Requester's side: each Request is open until its answer comes, or its target is known to owe none. Nothing is
// forgotten on a time-out; the target is asked.

// Asker has the Requests of our bus that other members are to answer.
type Asker struct {
	self  Self
	peers map[uint32]*peer
	open  map[message.ID]*question
	last  time.Time // of Tick
	steps int       // open Requests that were looked at to be given up

	Late uint64 // answers that came after the question was closed
}

// peer is a member that owes us something, or did.
type peer struct {
	member   uint32
	lastSeen time.Time // when it last sent something, or was first asked
	probed   time.Time
	count    uint64 // of Requests sent to it
	open     int
	oldest   uint64 // no open Request was sent to an earlier epoch of it
	passed   int    // bytes of the longest Request that it has acknowledged
}

type question struct {
	peer   *peer
	parcel envelope.Envelope // kept to be sent again
	local  message.ID        // of the Request on our bus
	from   message.KsockID   // the Requester's Ksock
	asked  time.Time
	queued bool // the peer has acknowledged it
	sent   int  // how often
}

// NewAsker makes one without Requests.
func NewAsker(self Self) *Asker {
	return &Asker{self: self, peers: map[uint32]*peer{}, open: map[message.ID]*question{}}
}

// Open is how many Requests are not answered yet.
func (a *Asker) Open() int { return len(a.open) }

// Outstanding is how many of them each member owes.
func (a *Asker) Outstanding() map[uint32]int {
	n := map[uint32]int{}
	for _, p := range a.peers {
		if p.open > 0 {
			n[p.member] = p.open
		}
	}
	return n
}

// Ask has a Request answered by a member in that epoch. m is as it was read from our bus; federated is its id to others.
// It reports false if a Request of that id is open already: then nothing happens.
func (a *Asker) Ask(now time.Time, m message.Message, federated message.ID, member uint32,
	epoch uint64) (envelope.Envelope, bool) {
	if a.open[federated] != nil {
		return envelope.Envelope{}, false
	}
	p := a.peers[member]
	if p == nil {
		p = &peer{member: member}
		a.peers[member] = p
	}
	if p.open == 0 {
		p.lastSeen, p.probed, p.oldest = now, now, epoch
	}
	p.oldest = min(p.oldest, epoch)
	p.open++
	p.count++
	q := &question{peer: p, local: m.ID, from: m.From, asked: now, sent: 1}
	m.ID = federated
	m.Flags &^= message.WantYouToReply
	q.parcel = a.self.compose(envelope.Request, member, epoch, m)
	q.parcel.Count = p.count
	a.open[federated] = q
	return q.parcel, true
}

// Alive notes that a member has sent something, in that epoch. What it owed in an earlier one it owes no more.
func (a *Asker) Alive(now time.Time, member uint32, epoch uint64, out *Out) {
	if p := a.peers[member]; p != nil {
		p.lastSeen = now
		a.Over(member, epoch-1, out)
	}
}

// Over notes that a member's epochs up to this one have ended. It is called for each envelope that comes, so it costs nothing
// when they have ended before.
func (a *Asker) Over(member uint32, epoch uint64, out *Out) {
	if p := a.peers[member]; p != nil && p.open > 0 && p.oldest <= epoch {
		a.giveUp(p, out, func(q *question) bool { return q.parcel.TargetEpoch <= epoch })
		p.oldest = epoch + 1
	}
}

// Queued notes an acknowledgement.
func (a *Asker) Queued(member uint32, id message.ID) {
	if q := a.open[id]; q != nil && q.peer.member == member {
		q.queued = true
		q.peer.passed = max(q.peer.passed, q.parcel.Bytes())
	}
}

// Replied closes a question. If it was open, the Requester's Ksock and the Request's id on our bus are what the Reply
// needs. Either way the Reply is to be acknowledged, so that it is not kept any longer.
func (a *Asker) Replied(member uint32, epoch uint64, id message.ID) (thanks envelope.Envelope, to message.KsockID,
	local message.ID, ok bool) {
	thanks = a.self.compose(envelope.Thanks, member, epoch, about(id))
	q := a.open[id]
	if q == nil || q.peer.member != member || q.parcel.TargetEpoch != epoch {
		a.Late++
		return thanks, 0, message.ID{}, false
	}
	a.close(id, q)
	return thanks, q.from, q.local, true
}

// States takes the answer to a Probe.
func (a *Asker) States(member uint32, states []envelope.IDState, out *Out) {
	for _, s := range states {
		q := a.open[s.ID]
		if q == nil || q.peer.member != member || s.State != envelope.Unknown {
			continue
		}
		switch {
		case q.queued:
			a.goneAway(s.ID, q, out)
		case q.sent >= tries && q.parcel.Bytes() > long:
			a.end(s.ID, q, nameTooLong, whyTooLong("a Request", q.peer.passed, &q.parcel.Message), out)
		default:
			q.sent++
			out.Parcels = append(out.Parcels, q.parcel)
		}
	}
}

// Tick is to be called every now and then: it asks the members that are due, and gives up those that have been silent too long.
// After a pause of our own nobody has been silent but us.
func (a *Asker) Tick(now time.Time, out *Out) {
	if pause := now.Sub(a.last); !a.last.IsZero() && pause > Silence/2 {
		for _, p := range a.peers {
			p.lastSeen = p.lastSeen.Add(pause)
		}
	}
	a.last = now
	for member, p := range a.peers {
		switch {
		case p.open == 0:
		case now.Sub(p.lastSeen) >= Silence:
			a.giveUp(p, out, func(*question) bool { return true })
		case now.Sub(p.probed) >= ProbeEvery:
			p.probed = now
			a.probe(now, member, p, out)
		}
	}
}

// maxProbed limits a Probe; the rest is asked about the next time.
const maxProbed = 4096

func (a *Asker) probe(now time.Time, member uint32, p *peer, out *Out) {
	var ids []message.ID
	for id, q := range a.open {
		if q.peer == p && now.Sub(q.asked) >= ProbeEvery && len(ids) < maxProbed {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 && now.Sub(p.lastSeen) < ProbeEvery {
		return // it has been talking to us, and nothing is due
	}
	m := about(message.ID{})
	m.Data = envelope.AppendIDs(nil, ids)
	out.Parcels = append(out.Parcels, a.self.compose(envelope.Probe, member, 0, m))
}

// giveUp closes those questions to a member that it owes no more, in the order in which they were asked.
func (a *Asker) giveUp(p *peer, out *Out, which func(*question) bool) {
	var ids []message.ID
	for id, q := range a.open {
		a.steps++
		if q.peer == p && which(q) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y message.ID) int {
		return int(int64(a.open[x].parcel.Count) - int64(a.open[y].parcel.Count))
	})
	for _, id := range ids {
		a.goneAway(id, a.open[id], out)
	}
}

func (a *Asker) goneAway(id message.ID, q *question, out *Out) {
	a.end(id, q, message.NameGoneAway, "", out)
}

func (a *Asker) end(id message.ID, q *question, name, why string, out *Out) {
	a.close(id, q)
	out.Statuses = append(out.Statuses, Status{ID: q.local, To: q.from, Name: name, Why: why})
}

func (a *Asker) close(id message.ID, q *question) {
	delete(a.open, id)
	q.peer.open--
}
