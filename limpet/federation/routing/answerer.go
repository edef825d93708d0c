package routing

import (
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// The Replier's side: each Request goes to the bus once, however often it comes, and its Reply is kept until it is
// acknowledged.

// MaxKept limits the Requests that an Answerer has taken and whose Replies are not acknowledged. One more gets
// EBUSY.
const MaxKept = 1 << 16

// Answerer has the Requests of other members that are to be answered by our bus.
type Answerer struct {
	self    Self
	origins map[uint32]*origin
	kept    map[message.ID]*answer

	Lost uint64 // Replies for which nobody waits any more
}

// origin is a member that has asked us something.
type origin struct {
	member uint32
	epoch  uint64
	passed int                  // bytes of the longest Reply that it has acknowledged
	seen   message.ReplayWindow // of the numbers of its Requests to us
}

type answer struct {
	origin  *origin
	replied bool
	ticks   int // since it was replied
	sent    int // how often
	reply   message.Message
}

// NewAnswerer makes one without Requests.
func NewAnswerer(self Self) *Answerer {
	return &Answerer{self: self, origins: map[uint32]*origin{}, kept: map[message.ID]*answer{}}
}

// Kept is how many Requests are being worked at, or answered and not acknowledged.
func (a *Answerer) Kept() int { return len(a.kept) }

// Step is what is to be done with a Request that has come.
type Step uint8

const (
	Nothing Step = iota
	Deliver      // give it to the bus, and call Delivered or Refused
	Refuse       // it is not taken: Refuse with EBUSY
)

// Asked takes a Request from another member. One that was taken before is acknowledged again.
func (a *Answerer) Asked(e *envelope.Envelope, out *Out) Step {
	o := a.origins[e.Member]
	if o == nil || o.epoch < e.Epoch {
		a.Over(e.Member, e.Epoch-1)
		o = a.origins[e.Member]
	}
	if e.Epoch < o.epoch {
		return Nothing // of an earlier life, to which nobody listens any more
	}
	if k := a.kept[e.ID]; k != nil {
		a.reportProgress(e.ID, k, out)
		return Nothing
	}
	if len(a.kept) >= MaxKept { // it has not been seen: if it comes again because the refusal was lost, it is refused again
		return Refuse
	}
	switch o.seen.See(uint32(e.Count)) {
	case message.Seen:
		return Nothing // and over
	case message.Old:
		return Refuse
	}
	a.kept[e.ID] = &answer{origin: o}
	return Deliver
}

// Delivered notes that a Request is in the Replier's queue.
func (a *Answerer) Delivered(id message.ID, out *Out) {
	if k := a.kept[id]; k != nil && !k.replied { // the Replier may have been quicker
		a.reportProgress(id, k, out)
	}
}

// Refused answers a Request that is not taken.
func (a *Answerer) Refused(e *envelope.Envelope, name, why string, out *Out) {
	reply := message.Message{Header: message.Header{InReplyTo: e.ID}, Name: name, Data: []byte(why)}
	if k := a.kept[e.ID]; k != nil {
		k.replied, k.reply = true, reply
	}
	out.Parcels = append(out.Parcels, a.self.compose(envelope.Reply, e.Member, e.Epoch, reply))
}

// Replied takes the Reply or Status of our bus to such a Request, and keeps it. Target is the member that gets it, 0 if
// nobody waits for it.
func (a *Answerer) Replied(m message.Message, out *Out) (target uint32) {
	k := a.kept[m.InReplyTo]
	if k == nil || k.replied {
		a.Lost++
		return 0
	}
	k.replied, k.reply = true, m
	a.reportProgress(m.InReplyTo, k, out)
	return k.origin.member
}

// Thanked notes that a Reply has arrived.
func (a *Answerer) Thanked(member uint32, id message.ID) {
	if k := a.kept[id]; k != nil && k.origin.member == member && k.replied {
		k.origin.passed = max(k.origin.passed, (&envelope.Envelope{Message: k.reply}).Bytes())
		delete(a.kept, id)
	}
}

// Probed answers what has become of Requests: the Replies again, and the state of the rest.
func (a *Answerer) Probed(member uint32, epoch uint64, ids []message.ID, out *Out) {
	states := make([]envelope.IDState, 0, len(ids))
	for _, id := range ids {
		k := a.kept[id]
		switch {
		case k == nil || k.origin.member != member || k.origin.epoch != epoch:
			states = append(states, envelope.IDState{ID: id, State: envelope.Unknown})
		case k.replied:
			a.reportProgress(id, k, out)
		default:
			states = append(states, envelope.IDState{ID: id, State: envelope.Working})
		}
	}
	m := about(message.ID{})
	m.Data = envelope.AppendStates(nil, states)
	out.Parcels = append(out.Parcels, a.self.compose(envelope.States, member, epoch, m))
}

// Over notes that a member's epochs up to this one have ended: nobody waits for those answers.
func (a *Answerer) Over(member uint32, epoch uint64) {
	for id, k := range a.kept {
		if k.origin.member == member && k.origin.epoch <= epoch {
			delete(a.kept, id)
		}
	}
	if o := a.origins[member]; o == nil || o.epoch <= epoch {
		a.origins[member] = &origin{member: member, epoch: epoch + 1}
	}
}

// Tick is to be called as often as a Probe may be due: Replies that nobody has acknowledged are sent again, less and
// less often.
func (a *Answerer) Tick(out *Out) {
	for id, k := range a.kept {
		if !k.replied {
			continue
		}
		if k.ticks++; k.ticks == 2 || k.ticks%4 == 0 {
			a.reportProgress(id, k, out)
		}
	}
}

// reportProgress answers how far a Request is: queued, or answered.
func (a *Answerer) reportProgress(id message.ID, k *answer, out *Out) {
	if k.replied {
		if e := (&envelope.Envelope{Message: k.reply}); k.sent >= tries && e.Bytes() > long {
			k.reply.Name, k.reply.Data = nameTooLong, []byte(whyTooLong("the Reply", k.origin.passed, &k.reply))
		}
		k.sent++
		out.Parcels = append(out.Parcels, a.self.compose(envelope.Reply, k.origin.member, k.origin.epoch, k.reply))
		return
	}
	out.Parcels = append(out.Parcels, a.self.compose(envelope.Queued, k.origin.member, k.origin.epoch, about(id)))
}
