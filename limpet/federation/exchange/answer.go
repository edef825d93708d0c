package exchange

import (
	"context"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/message"
)

// Requests of other members: each comes with Accept, is Delivered or refused, and our bus answers it with Reply.

// Accept takes a Request of another member, and reports whether it is to be delivered to the bus. One that is not was
// refused, or has come before.
func (x *Exchange) Accept(ctx context.Context, e *envelope.Envelope) (deliver bool) {
	var out routing.Out
	refusal := routing.RemoteError(kbus.ErrReplierFull)
	step := routing.Refuse
	x.mu.Lock()
	switch {
	case e.TargetEpoch != x.Self.Epoch && e.To != 0:
		refusal = message.NameNotSameKsock
	case e.TargetEpoch != x.Self.Epoch:
		refusal = message.NameGoneAway
	default:
		step = x.answerer.Asked(e, &out)
	}
	if step == routing.Refuse {
		x.answerer.Refused(e, refusal, "", &out)
	}
	x.mu.Unlock()
	x.Perform(ctx, &out)
	return step == routing.Deliver
}

// Delivered notes that a Request is in its Replier's queue.
func (x *Exchange) Delivered(ctx context.Context, id kbus.ID) {
	var out routing.Out
	x.mu.Lock()
	x.answerer.Delivered(id, &out)
	x.mu.Unlock()
	x.Perform(ctx, &out)
}

// Refuse answers a Request that was accepted and that the bus did not take.
func (x *Exchange) Refuse(ctx context.Context, e *envelope.Envelope, status, why string) {
	var out routing.Out
	x.mu.Lock()
	x.answerer.Refused(e, status, why, &out)
	x.mu.Unlock()
	x.Perform(ctx, &out)
}

// RefuseNew answers a Request that cannot be accepted, unless it has come before.
func (x *Exchange) RefuseNew(ctx context.Context, e *envelope.Envelope, status, why string) {
	var out routing.Out
	x.mu.Lock()
	if x.answerer.Asked(e, &out) != routing.Nothing {
		x.answerer.Refused(e, status, why, &out)
	}
	x.mu.Unlock()
	x.Perform(ctx, &out)
}

// Reply takes the Reply or Status of our bus to a Request of another member. Target is the member that gets it, 0 if
// none waits for it. The caller passes out to Perform.
func (x *Exchange) Reply(m *kbus.Message, out *routing.Out) (target uint32) {
	reply := clone(m)
	x.Bus.Export(&reply)
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.answerer.Replied(reply, out)
}
