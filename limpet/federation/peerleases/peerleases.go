// Package peerleases watches the leases of other members, ends those of members that are silent, and frees the names that
// they held. Each member watches the leases of the next few, by number and around: so some other member misses one that
// dies, without everybody hearing from everybody.
//
// The stream of leases publishes each refresh again, also while it has no leader, so a lease costs its watchers nothing
// but those messages. Only a lease without news for a while is read, from any server that answers.
package peerleases

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/lease"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/subject"
)

const (
	watched    = 3           // members
	checkEvery = time.Second // how often it is checked which members these are, and whether one is silent
	readLimit  = checkEvery / 2
)

// Monitor is our watch over other members. One goroutine owns it.
type Monitor struct {
	mirror    *mirror.Mirror
	log       *slog.Logger
	peers     map[uint32]*peer
	refreshes chan *nats.Msg
}

// New makes a Monitor that watches nothing yet.
func New(m *mirror.Mirror, log *slog.Logger) *Monitor {
	return &Monitor{mirror: m, log: log, peers: map[uint32]*peer{}, refreshes: make(chan *nats.Msg, 64)}
}

// Run watches until ctx ends. It fails if nothing can be subscribed to.
func (m *Monitor) Run(ctx context.Context) error {
	defer func() {
		for _, p := range m.peers {
			_ = p.refreshes.Unsubscribe() // the connection may be gone
		}
	}()
	ticks := time.NewTicker(checkEvery)
	defer ticks.Stop()
	for {
		if err := m.check(ctx); err != nil {
			return err
		}
		for ticked := false; !ticked; {
			select {
			case <-ctx.Done():
				return nil
			case refresh := <-m.refreshes:
				m.refreshed(refresh)
			case <-time.After(m.untilDue()):
				for _, p := range m.peers {
					if p.due() {
						m.evict(ctx, p)
					}
				}
			case <-ticks.C:
				ticked = true
			}
		}
	}
}

// untilDue is how long it is until the first peer that is not due yet may be evicted. One that is due and was not evicted
// has its turn at the next tick.
func (m *Monitor) untilDue() time.Duration {
	first, now := lease.Evict, leasekeeper.Now()
	for _, p := range m.peers {
		if left := p.Due().Sub(now); left > 0 {
			first = min(first, left)
		}
	}
	return first
}

// check finds out which members are ours to watch, and looks at those that need it.
func (m *Monitor) check(ctx context.Context) error {
	next, size := m.mirror.Successors(watched), m.mirror.Population()
	for _, member := range next {
		if member.Over {
			m.free(ctx, member)
			continue
		}
		p := m.peers[member.ID]
		if p == nil {
			refreshes, err := m.mirror.Leases.Watch(subject.Lease(member.ID), m.refreshes)
			if err != nil {
				return err
			}
			p = &peer{refreshes: refreshes}
			m.peers[member.ID] = p
		}
		p.member = member
		switch {
		case p.due():
			m.evict(ctx, p)
		case p.Quiet(leasekeeper.Now(), size):
			m.read(ctx, p)
		}
	}
	for id, p := range m.peers {
		if !slices.ContainsFunc(next, func(member directory.Member) bool { return member.ID == id }) {
			_ = p.refreshes.Unsubscribe() // the connection may be gone
			delete(m.peers, id)
		}
	}
	return nil
}

// refreshed notes that a lease was refreshed just now.
func (m *Monitor) refreshed(refresh *nats.Msg) {
	var r leasekeeper.Record
	e, ok := m.mirror.Leases.Changed(refresh)
	if ok && json.Unmarshal(e.Value, &r) == nil && m.peers[r.Member] != nil {
		m.peers[r.Member].see(r, e.Revision)
	}
}

// read reads a lease.
func (m *Monitor) read(ctx context.Context, p *peer) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	var r leasekeeper.Record
	e, err := m.mirror.Leases.Glance(limited, subject.Lease(p.member.ID))
	if err != nil || json.Unmarshal(e.Value, &r) != nil || r.Member != p.member.ID {
		return // tried again
	}
	if p.see(r, e.Revision); r.Over {
		m.ended(ctx, r)
	}
}
