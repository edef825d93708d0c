package routing

import (
	"kbus/limpet/federation/envelope"
	"kbus/message"
)

// MaxKept limits the Requests that an Answerer has taken and whose Replies are not acknowledged. Who asks for more gets
// EBUSY.
const MaxKept = 1 << 16

// Answerer has the Requests of other bowls that are to be answered by our bus.
type Answerer struct {
	self    Self
	origins map[uint32]*origin
	kept    map[message.ID]*answer

	Lost uint64 // Replies for which nobody waits any more
}

// origin is a bowl that has asked us something.
type origin struct {
	bowl  uint32
	epoch uint64
	seen  message.ReplayWindow // of the numbers of its Requests to us
}

type answer struct {
	origin  *origin
	replied bool
	ticks   int // since it was replied
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
	Deliver      // give it to the bus, and say Delivered or Refuse
	Refuse       // it is not taken: Refuse with EBUSY
)

// Asked takes a Request from another bowl. One that was taken before is acknowledged again.
func (a *Answerer) Asked(e *envelope.Envelope, out *Out) Step {
	o := a.origins[e.Bowl]
	if o == nil || o.epoch < e.Epoch {
		a.Over(e.Bowl, e.Epoch-1)
		o = a.origins[e.Bowl]
	}
	if e.Epoch < o.epoch {
		return Nothing // of an earlier life, to which nobody listens any more
	}
	if k := a.kept[e.ID]; k != nil {
		a.tell(e.ID, k, out)
		return Nothing
	}
	switch o.seen.See(uint32(e.Count)) {
	case message.Seen:
		return Nothing // and over
	case message.Old:
		return Refuse
	}
	if len(a.kept) >= MaxKept {
		return Refuse
	}
	a.kept[e.ID] = &answer{origin: o}
	return Deliver
}

// Delivered says that a Request is in the Replier's queue.
func (a *Answerer) Delivered(id message.ID, out *Out) {
	if k := a.kept[id]; k != nil && !k.replied { // the Replier may have been quicker
		a.tell(id, k, out)
	}
}

// Refused answers a Request that is not taken.
func (a *Answerer) Refused(e *envelope.Envelope, name string, out *Out) {
	reply := message.Message{Header: message.Header{InReplyTo: e.ID}, Name: name}
	if k := a.kept[e.ID]; k != nil {
		k.replied, k.reply = true, reply
	}
	out.Parcels = append(out.Parcels, a.self.say(envelope.Reply, e.Bowl, e.Epoch, reply))
}

// Replied takes the Reply or Status of our bus to such a Request, and keeps it. Target is the bowl that gets it, 0 if
// nobody waits for it.
func (a *Answerer) Replied(m message.Message, out *Out) (target uint32) {
	k := a.kept[m.InReplyTo]
	if k == nil || k.replied {
		a.Lost++
		return 0
	}
	k.replied, k.reply = true, m
	a.tell(m.InReplyTo, k, out)
	return k.origin.bowl
}

// Thanked says that a Reply has arrived.
func (a *Answerer) Thanked(bowl uint32, id message.ID) {
	if k := a.kept[id]; k != nil && k.origin.bowl == bowl && k.replied {
		delete(a.kept, id)
	}
}

// Probed tells what has become of Requests: the Replies again, and a word about the rest.
func (a *Answerer) Probed(bowl uint32, epoch uint64, ids []message.ID, out *Out) {
	states := make([]envelope.IDState, 0, len(ids))
	for _, id := range ids {
		k := a.kept[id]
		switch {
		case k == nil || k.origin.bowl != bowl || k.origin.epoch != epoch:
			states = append(states, envelope.IDState{ID: id, State: envelope.Unknown})
		case k.replied:
			a.tell(id, k, out)
		default:
			states = append(states, envelope.IDState{ID: id, State: envelope.Working})
		}
	}
	m := about(message.ID{})
	m.Data = envelope.AppendStates(nil, states)
	out.Parcels = append(out.Parcels, a.self.say(envelope.States, bowl, epoch, m))
}

// Over says that a bowl's epochs up to this one have ended: nobody waits for those answers.
func (a *Answerer) Over(bowl uint32, epoch uint64) {
	for id, k := range a.kept {
		if k.origin.bowl == bowl && k.origin.epoch <= epoch {
			delete(a.kept, id)
		}
	}
	if o := a.origins[bowl]; o == nil || o.epoch <= epoch {
		a.origins[bowl] = &origin{bowl: bowl, epoch: epoch + 1}
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
			a.tell(id, k, out)
		}
	}
}

// tell says how far a Request is: queued, or answered.
func (a *Answerer) tell(id message.ID, k *answer, out *Out) {
	if k.replied {
		out.Parcels = append(out.Parcels, a.self.say(envelope.Reply, k.origin.bowl, k.origin.epoch, k.reply))
		return
	}
	out.Parcels = append(out.Parcels, a.self.say(envelope.Queued, k.origin.bowl, k.origin.epoch, about(id)))
}
