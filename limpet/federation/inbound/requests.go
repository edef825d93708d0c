package inbound

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/exchange"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/message"
)

// requests gives Requests of other members to Repliers of our bus, and Replies of other members to our Requesters. The exchange
// decides which of them count.
type requests struct {
	ksock    *kbus.Ksock
	bus      envelope.Bus
	exchange *exchange.Exchange
	vouches  func() bool

	replies atomic.Uint64
	lost    atomic.Uint64 // Replies whose Requester had gone
}

// deliver gives a Request to its Replier here. A member that may not act for its names is silent, and the Requester's
// member sees that.
func (r *requests) deliver(ctx context.Context, e *envelope.Envelope) {
	if !r.vouches() || !r.exchange.Accept(ctx, e) {
		return
	}
	m := e.Message
	r.bus.Import(&m)
	m.To = 0
	if e.To != 0 { // a stateful one
		m.To, m.FinalTo.Network = kbus.KsockID(m.FinalTo.Local), 0
	}
	_, err := r.ksock.Send(ctx, &m)
	switch {
	case err == nil:
		r.exchange.Delivered(ctx, e.ID)
	case errors.Is(err, kbus.ErrOtherReplier):
		r.exchange.Refuse(ctx, e, message.NameNotSameKsock, "")
	case errors.Is(err, kbus.ErrNoReplier):
		r.exchange.Refuse(ctx, e, message.NameGoneAway, "")
	default:
		r.exchange.Refuse(ctx, e, routing.RemoteError(err), r.explain(ctx, &m, err))
	}
}

// reply gives a Reply to its Requester here. One that is a Request too is only its Reply: this bus has no Replier for the rest.
// What the bus does not take although somebody waits for it becomes a Status, so that the Request has its answer.
func (r *requests) reply(ctx context.Context, e *envelope.Envelope) {
	to, local, open := r.exchange.ReplyArrived(e)
	if !open {
		return
	}
	m := e.Message
	r.bus.Import(&m)
	m.To, m.InReplyTo = to, local
	m.Flags &^= message.WantAReply
	r.replies.Add(1)
	_, err := r.ksock.Send(ctx, &m)
	switch {
	case err == nil:
	case errors.Is(err, kbus.ErrAddresseeGone), errors.Is(err, kbus.ErrNotExpected), errors.Is(err, kbus.ErrNotYoursToReply):
		r.lost.Add(1)
	default:
		r.exchange.SendStatus(ctx, routing.Status{ID: local, To: to, Name: routing.RemoteError(err), Why: r.explain(ctx, &m, err)})
	}
}

// explain is for people: why our bus has not taken a message.
func (r *requests) explain(ctx context.Context, m *kbus.Message, err error) string {
	why := fmt.Sprintf("the bus of bowl %d: %s", r.bus.Member, strings.TrimPrefix(err.Error(), "kbus: "))
	if errors.Is(err, kbus.ErrMessageTooLong) {
		if most, err := r.ksock.Settings().MaxMessageBytes(ctx); err == nil { // else it is gone
			why += fmt.Sprintf("; it has %d bytes of data, and messages have %d at most there, entire", len(m.Data), most)
		}
	}
	return why
}
