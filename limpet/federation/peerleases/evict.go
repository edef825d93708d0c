package peerleases

import (
	"context"
	"errors"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// Eviction is a compare-and-swap of the lease at the revision that we have seen: a refresh that we have not seen makes it
// fail. Only then is the end of the epoch recorded in the directory, and only then are its names free.

// evict ends a lease, if it is still as we have seen it last.
func (m *Monitor) evict(ctx context.Context, p *peer) {
	r := p.record
	if !r.Over {
		r.Over = true
		limited, cancel := context.WithTimeout(ctx, readLimit)
		defer cancel()
		_, err := m.mirror.Leases.Swap(limited, subject.Lease(r.Member), r.Bytes(), p.revision)
		if errors.Is(err, store.ErrChanged) { // it lives, or another member was quicker
			m.read(ctx, p)
		}
		if err != nil {
			return // tried again, if need be
		}
		m.log.Warn("evicted a bowl that is silent", "id", r.Member, "epoch", r.Epoch, "where", r.Where)
	}
	m.ended(ctx, r)
}

// ended records that an epoch is over, and frees what it held. What does not succeed is tried again.
func (m *Monitor) ended(ctx context.Context, r leasekeeper.Record) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	over := directory.Member{ID: r.Member, Epoch: r.Epoch, Over: true}
	if m.mirror.Record(limited, over) == nil {
		m.free(ctx, over)
	}
}

// free takes the names that an epoch held, and those of earlier ones, out of the directory.
func (m *Monitor) free(ctx context.Context, member directory.Member) {
	for name, c := range m.mirror.ClaimsOf(member.ID) {
		if c.Epoch > member.Epoch {
			continue
		}
		err := m.mirror.Names.Delete(ctx, subject.Claim(name), c.Revision)
		if err != nil && !errors.Is(err, store.ErrChanged) {
			return // tried again
		}
	}
}
