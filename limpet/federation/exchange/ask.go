package exchange

import (
	"context"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/message"
)

// Requests of our bus: they leave with Ask, and the answer comes with ReplyArrived.

// Ask begins a Request of our bus, and makes the envelope that takes it to its target. If it can go nowhere, there is
// a Status instead.
func (x *Exchange) Ask(m *kbus.Message) (parcel envelope.Envelope, status string) {
	id := m.ID
	if id.Network == 0 {
		id.Network = x.Bus.Member
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	member, epoch, status := x.destination(m)
	if status != "" {
		return parcel, status
	}
	if !x.Connected() {
		return parcel, routing.RemoteError(kbus.ErrNoFederation)
	}
	request := clone(m)
	x.Bus.Export(&request)
	request.ID = m.ID // as it is here
	parcel, ok := x.asker.Ask(now(), request, id, member, epoch)
	if !ok {
		return parcel, routing.RemoteError(kbus.ErrStillSending)
	}
	return parcel, ""
}

// destination finds the member that a Request goes to, or the Status for one that cannot go. mu is held.
func (x *Exchange) destination(m *kbus.Message) (member uint32, epoch uint64, status string) {
	switch {
	case m.From == x.own: // it came from another member, and its Replier here has gone
		return 0, 0, message.NameGoneAway
	case m.To != 0:
		epoch = x.conversations[conversation{m.From, m.FinalTo}]
		known := x.Directory.Member(m.FinalTo.Network)
		if epoch == 0 || known.Epoch > epoch || m.FinalTo.Network == x.Bus.Member {
			return 0, 0, message.NameNotSameKsock
		}
		return m.FinalTo.Network, epoch, ""
	}
	c, ok := x.Directory.Lookup(m.Name)
	if !ok || c.Member == x.Bus.Member {
		return 0, 0, message.NameGoneAway
	}
	return c.Member, c.Epoch, ""
}

// ReplyArrived closes the Request that a Reply from another member answers, and acknowledges the Reply. If the Request
// was still open, it returns the Requester and the Request's id on our bus.
func (x *Exchange) ReplyArrived(e *envelope.Envelope) (to kbus.KsockID, local kbus.ID, open bool) {
	x.mu.Lock()
	thanks, to, local, open := x.asker.Replied(e.Member, e.Epoch, e.InReplyTo)
	if open {
		if len(x.conversations) >= maxConversations {
			clear(x.conversations) // Requesters that go on with one get the Status that it is over
		}
		x.conversations[conversation{to, e.OrigFrom}] = e.Epoch
	}
	x.mu.Unlock()
	x.Send(&thanks)
	return to, local, open
}

// Control takes an envelope that is about Requests and carries none: an acknowledgement, a question about Requests that
// are open, or the answer to that.
func (x *Exchange) Control(ctx context.Context, e *envelope.Envelope) {
	var out routing.Out
	x.mu.Lock()
	switch e.Kind {
	case envelope.Queued:
		x.asker.Queued(e.Member, e.InReplyTo)
	case envelope.Thanks:
		x.answerer.Thanked(e.Member, e.InReplyTo)
	case envelope.Probe:
		x.answerer.Probed(e.Member, e.Epoch, envelope.IDs(e.Data), &out)
	case envelope.States:
		x.asker.States(e.Member, envelope.StatesOf(e.Data), &out)
	}
	x.mu.Unlock()
	x.Perform(ctx, &out)
}
