package peerleases

import (
	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/lease"
	"kbus.example/kbus/limpet/federation/leasekeeper"
)

// peer is a member whose lease we watch.
type peer struct {
	lease.Watch
	member    directory.Member
	refreshes *nats.Subscription
	record    leasekeeper.Record // as it was when it was seen last, at that revision
	revision  uint64
}

// see notes how the lease stands.
func (p *peer) see(r leasekeeper.Record, revision uint64) {
	p.See(leasekeeper.Now(), r.Sight(revision))
	if revision > p.revision {
		p.record, p.revision = r, revision
	}
}

// due reports whether the member may be evicted.
func (p *peer) due() bool { return p.revision > 0 && !leasekeeper.Now().Before(p.Due()) }
