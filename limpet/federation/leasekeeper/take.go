package leasekeeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/store"
)

// How a member comes to its lease, and so into a new epoch.

// Take tries once to take the lease, and so begins a new epoch of the member. An earlier epoch was ours if it was at this
// very place, and is over then: the caller makes sure that nobody else is there. If it was elsewhere its holder must
// have been silent for as long as for an eviction, so this is tried until it succeeds, or is a Refusal: the other is
// alive.
func (k *Keeper) Take(ctx context.Context) error {
	start := k.now()
	e, err := k.Leases.Read(ctx, k.Key)
	var last Record
	switch {
	case errors.Is(err, store.ErrNone):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(e.Value, &last); err != nil {
			return retry.Refuse("the lease of bowl %d cannot be read, is bucket %s really ours?: %w", k.Member,
				bucket(k.Federation), err)
		}
		if k.first == 0 {
			k.first = e.Revision
		}
		if !last.Over && last.Where != k.Where {
			if e.Revision != k.first {
				return retry.Refuse("another bowl has id %d and is alive: %s; give each its own --id", k.Member, last.Where)
			}
			if !k.watch.See(start, last.Sight(e.Revision)) {
				return fmt.Errorf("bowl %s has this id, waiting whether it is alive", last.Where)
			}
		}
	}
	next := Record{
		Member: k.Member, Epoch: max(last.Epoch+1, uint64(time.Now().UnixMilli())), Where: k.Where, Start: start.UnixMilli(),
	}
	revision, err := k.Leases.Swap(ctx, k.Key, next.Bytes(), e.Revision)
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.epoch = next.Epoch
	k.mu.Unlock()
	return k.renewed(start, revision)
}

// renewed notes a refresh that has succeeded.
func (k *Keeper) renewed(start time.Time, revision uint64) error {
	k.mu.Lock()
	k.holder.Renewed(start, revision)
	until := k.holder.Until()
	k.vouched.Store(until.UnixNano())
	k.touched.Store(k.holder.Touched().UnixNano())
	k.mu.Unlock()
	if k.Renewed == nil {
		return nil
	}
	return k.Renewed(until)
}
