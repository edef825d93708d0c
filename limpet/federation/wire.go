package federation

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/claims"
	"kbus.example/kbus/limpet/federation/exchange"
	"kbus.example/kbus/limpet/federation/inbound"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/outbound"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/limpet/federation/subject"
)

// The parts of a session are made here, in the order in which they need each other, and do nothing until they are started.

// takeLease begins a new epoch of the member, and keeps the lease from then on. It is ours to take over if its last holder
// was on this very bus, for a bus has only one federator.
func (s *session) takeLease() error {
	s.keeper = leasekeeper.New(leasekeeper.Config{
		Leases: s.mirror.Leases, Key: subject.Lease(s.ID), Federation: s.Federation, Member: s.ID, Where: s.Where,
		Members: s.mirror.Population,
		Renewed: func(until time.Time) error { // the bus trusts its Repliers until then, whatever has become of us
			return s.admission.federator.Vouch(s.life.ctx, time.Duration(until.UnixNano()))
		},
	})
	err := s.retry("there is no lease yet", func(ctx context.Context) error {
		if err := s.mirror.Same(ctx); err != nil {
			return err
		}
		return s.keeper.Take(ctx)
	})
	if err != nil {
		return err
	}
	s.admission.vouch()
	s.life.flow(s.keeper.Keep)
	s.life.flow(s.fence)
	return nil
}

// wire makes the parts of the session, which do nothing yet.
func (s *session) wire() (*resync, error) {
	k, self := s.ksock, routing.Self{Member: s.ID, Epoch: s.keeper.Epoch()}
	bus, longest, err := s.prepare(s.life.ctx, k)
	if err != nil {
		return nil, err
	}
	s.claims = claims.New(s.life.ctx, claims.Config{
		Self: self, Available: s.Available, Mirror: s.mirror, Admission: s.admission, InTouch: s.keeper.InTouch,
		Fail: s.life.end, Log: s.Log,
	})
	s.proxies = newProxies(s)
	s.gaps = newGaps(s.Names.Everything())
	resync := &resync{ksock: k, claims: s.claims, log: s.Log}
	publisher := outbound.NewPublisher(s.nc, s.space, bus, self)
	s.exchange = exchange.New(exchange.Config{
		Ksock: k, Bus: bus, Self: self, Directory: s.mirror, Connected: s.nc.IsConnected, Send: publisher.Send,
	})
	s.outbound = outbound.New(outbound.Config{
		Ksock: k, Scope: s.Names, Publisher: publisher, Exchange: s.exchange, Vouches: s.vouches,
		OnBindEvent: s.claims.Event, OnEventsLost: resync.run, OnStatus: s.answerStatus,
	})
	s.inbound = inbound.New(inbound.Config{
		Ksock: k, Bus: bus, Space: s.space, Scope: s.Names, Exchange: s.exchange, Gaps: s.gaps, Vouches: s.vouches,
		Longest: longest, Log: s.Log,
	})
	return resync, nil
}

// subscribe has NATS put what concerns us into the queue of the inbound.
func (s *session) subscribe() error {
	var subs []*nats.Subscription
	for _, subject := range s.inbound.Subjects() {
		sub, err := s.nc.ChanSubscribe(subject, s.inbound.Queue())
		if err != nil {
			return fmt.Errorf("subscribing to %s: %w", subject, err)
		}
		subs = append(subs, sub)
	}
	if err := s.retry("NATS does not answer yet", s.nc.FlushWithContext); err != nil {
		return err
	}
	s.life.flow(func(ctx context.Context) error {
		defer func() {
			for _, sub := range subs {
				_ = sub.Unsubscribe() // the connection may be gone
			}
		}()
		return s.inbound.Run(ctx)
	})
	return nil
}
