// Package outbound takes messages from the bus to NATS. One goroutine reads our Ksock in the order of the bus, and
// decides for each message what it is: an Announcement for the Listeners of other members, a Request for another
// member's Replier, the answer to another member's Request, or an event of the bus itself.
//
//	outbound.go   what each message is
//	publisher.go  envelopes as bytes, and the count of announcements
package outbound

import (
	"context"
	"sync/atomic"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/exchange"
	"kbus.example/kbus/limpet/federation/report"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/limpet/federation/scope"
)

// Config is what an Outbound works with.
type Config struct {
	Ksock     *kbus.Ksock
	Scope     scope.Scope
	Publisher *Publisher
	Exchange  *exchange.Exchange
	Vouches   func() bool // whether this member may act for its names

	OnBindEvent  func(e kbus.BindEvent, of kbus.Origin) // a Replier of our bus has come or gone
	OnEventsLost func(context.Context) error            // such events were lost
	OnStatus     func(*kbus.Message)                    // a Request for the status of the federation
}

// Outbound is the way from the bus to NATS.
type Outbound struct {
	Config
	own      kbus.KsockID  // the id of our Ksock
	requests atomic.Uint64 // of our bus, passed on
}

// New makes one that has read nothing.
func New(c Config) *Outbound { return &Outbound{Config: c, own: c.Ksock.ID()} }

// Requests is how many Requests of our bus were passed on.
func (o *Outbound) Requests() uint64 { return o.requests.Load() }

// Run passes on what our Ksock receives, until ctx ends or the bus is lost.
func (o *Outbound) Run(ctx context.Context) error {
	var m kbus.Message
	for {
		if err := o.Ksock.ReceiveInto(ctx, &m); err != nil {
			return err
		}
		if err := o.dispatch(ctx, &m); err != nil {
			return err
		}
	}
}

func (o *Outbound) dispatch(ctx context.Context, m *kbus.Message) error {
	switch {
	case m.Name == kbus.NameReplierBindEvent && m.Flags.Has(kbus.Synthetic):
		o.bindEvent(m)
	case m.Name == kbus.NameUnbindEventsLost && m.Flags.Has(kbus.Synthetic):
		return o.OnEventsLost(ctx)
	case m.WantsUsToReply():
		o.request(ctx, m)
	case m.IsReply() && m.To == o.own:
		o.reply(ctx, m)
	case m.From == o.own: // what came from NATS never goes back to NATS
	case o.Scope.Covers(m.Name): // it was sent on this bus, or a pair has brought it before NATS has
		o.Publisher.Announce(m, 0)
	}
	return nil
}

func (o *Outbound) bindEvent(m *kbus.Message) {
	e, ok := kbus.ParseBindEvent(m.Data)
	if ok && e.Binder != o.own && o.Scope.Covers(e.Name) {
		o.OnBindEvent(e, m.OrigFrom)
	}
}

// request passes on a Request of our bus that we are the Replier of: to Listeners of all members, and to its Replier.
func (o *Outbound) request(ctx context.Context, m *kbus.Message) {
	if m.Name == report.Name {
		o.OnStatus(m)
		return
	}
	parcel, status := o.Exchange.Ask(m)
	if status != "" {
		o.Exchange.SendStatus(ctx, routing.Status{ID: m.ID, To: m.From, Name: status})
		return
	}
	o.requests.Add(1)
	o.Publisher.Announce(m, parcel.Target)
	o.Publisher.Send(&parcel)
}

// reply passes on a Reply or Status of our bus to a Request of another member.
func (o *Outbound) reply(ctx context.Context, m *kbus.Message) {
	if !o.Vouches() {
		return
	}
	if m.Name == string(kbus.ErrBusGoneAway) { // our bus: to the Requester that is the end of the Replier, and not of its bus
		m.Name = string(kbus.ErrGoneAway)
	}
	var out routing.Out
	target := o.Exchange.Reply(m, &out)
	if target != 0 && !m.Flags.Has(kbus.Synthetic) && o.Scope.Covers(m.Name) {
		o.Publisher.Announce(m, target)
	}
	o.Exchange.Perform(ctx, &out)
}
