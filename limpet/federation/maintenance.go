package federation

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/claims"
	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/exchange"
	"kbus.example/kbus/limpet/federation/inbound"
	"kbus.example/kbus/limpet/federation/outbound"
)

// maintenance does what is due from time to time, and what no event starts: things that failed, messages that nobody
// acknowledged, and changes that others have made unseen.
type maintenance struct {
	ksock     *kbus.Ksock
	mirror    *mirror.Mirror
	claims    *claims.Claims
	proxies   *proxies
	gaps      *gaps
	exchange  *exchange.Exchange
	publisher *outbound.Publisher
	inbound   *inbound.Inbound
	resync    *resync
	log       *slog.Logger
}

func newMaintenance(s *session, r *resync) *maintenance {
	return &maintenance{
		ksock: s.ksock, mirror: s.mirror, claims: s.claims, proxies: s.proxies, gaps: s.gaps, exchange: s.exchange,
		publisher: s.outbound.Publisher, inbound: s.inbound, resync: r, log: s.Log,
	}
}

const (
	tickEvery   = 200 * time.Millisecond
	answerTicks = 3  // ticks between two looks at Replies that nobody has acknowledged
	countTicks  = 5  // ticks without an announcement until the count is published
	checkTicks  = 25 // ticks between two looks at what may have gone wrong unseen
)

// lostName is the Announcement that reports a loss.
const lostName = "$.KBUS.Federation.Lost"

func (m *maintenance) run(ctx context.Context) error {
	ticks := time.NewTicker(tickEvery)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		m.exchange.Tick(ctx, n%answerTicks == 0)
		if n%countTicks == 0 {
			m.publisher.PublishCount(lostName)
		}
		if n%checkTicks == 0 {
			if err := m.check(ctx); err != nil {
				return err
			}
		}
		if err := m.reportLosses(ctx); err != nil {
			return err
		}
		if err := m.proxies.retry(ctx); err != nil {
			return err
		}
	}
}

// check looks for what others may have changed: claims of ours that we do not hold, limits of the bus, and the report of
// bind events, which the bus's administrators may turn off for the whole bus.
func (m *maintenance) check(ctx context.Context) error {
	for _, member := range m.gaps.strangers(func(id uint32) bool { return m.mirror.Member(id).ID != 0 }) {
		m.log.Error("a bowl speaks in this federation that is not in its directory: its NATS server has another JetStream, and "+
			"must be told the domain of ours, or we that of its (--domain)", "bowl", member)
	}
	m.claims.Recheck()
	m.proxies.retryAll()
	switch on, err := m.ksock.Settings().ReportReplierBinds(ctx); {
	case err != nil:
		return err
	case !on:
		m.log.Warn("somebody has turned the report of bind events off, which this Limpet needs; turned on again")
	case !m.resync.incomplete.Load():
		return nil
	}
	return m.resync.run(ctx)
}

// reportLosses announces on our bus what was lost since the last time.
func (m *maintenance) reportLosses(ctx context.Context) error {
	for _, n := range m.gaps.news() {
		m.log.Warn("announcements were lost on the way", "from", n.Member, "lost", n.Lost, "total", n.Total)
		data, err := json.Marshal(n)
		if err != nil {
			return err
		}
		if _, err := m.ksock.Send(ctx, kbus.Announcement(lostName, data)); err != nil {
			return m.inbound.Undelivered(ctx, n.Member, err)
		}
	}
	return nil
}
