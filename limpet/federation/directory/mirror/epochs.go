package mirror

import (
	"context"
	"encoding/json"
	"errors"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// The directory says in which epoch each member is. Any member may write that another's epoch has ended, and may know
// less than the directory does, so an entry only ever moves forward.

// Record writes in the directory that a member is in that epoch, or that this epoch has ended. A later epoch that the
// directory knows stays, and so does an end.
func (m *Mirror) Record(ctx context.Context, next directory.Member) error {
	there := m.Member(next.ID)
	for first := true; ; first = false {
		if there.Epoch > next.Epoch || there.Epoch == next.Epoch && there.Over {
			return nil
		}
		_, err := m.Names.Swap(ctx, subject.Member(next.ID), directory.Marshal(next), there.Revision)
		if !first || !errors.Is(err, store.ErrChanged) {
			return err
		}
		e, err := m.Names.Read(ctx, subject.Member(next.ID))
		if err != nil && !errors.Is(err, store.ErrNone) {
			return err
		}
		there = directory.Member{}
		_ = json.Unmarshal(e.Value, &there) // what cannot be read is replaced
		there.Revision = e.Revision
	}
}

// Over reports whether an epoch is proved to have ended: by our copy, or else by the lease itself.
func (m *Mirror) Over(ctx context.Context, member uint32, epoch uint64) bool {
	m.mu.Lock()
	over := m.table.Over(member, epoch)
	m.mu.Unlock()
	if over {
		return true
	}
	e, err := m.Leases.Read(ctx, subject.Lease(member))
	var lease leasekeeper.Record
	if err != nil || json.Unmarshal(e.Value, &lease) != nil {
		return false
	}
	return lease.Epoch > epoch || lease.Epoch == epoch && lease.Over
}
