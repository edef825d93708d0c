package office

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kbus/limpet/federation/store"
)

// Take tries once to take the lease, and so begins a new epoch of the bowl. An earlier epoch was ours if it was at this
// very place, and is over then: the caller makes sure that nobody else is there. If it was elsewhere its holder must
// have been silent for as long as for an eviction, so this is tried until it succeeds, or is a Refusal: the other is
// alive.
func (o *Office) Take(ctx context.Context) error {
	start := o.now()
	e, err := o.Leases.Read(ctx, o.Key)
	var last Tenancy
	switch {
	case errors.Is(err, store.ErrNone):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(e.Value, &last); err != nil {
			return Refuse("the lease of bowl %d cannot be read, is bucket %s really ours?: %w", o.Bowl,
				bucket(o.Federation), err)
		}
		if o.first == 0 {
			o.first = e.Revision
		}
		if !last.Over && last.Where != o.Where {
			if e.Revision != o.first {
				return Refuse("another bowl has id %d and is alive: %s; give each its own --id", o.Bowl, last.Where)
			}
			if !o.watch.See(start, last.Sight(e.Revision)) {
				return fmt.Errorf("bowl %s has this id, waiting whether it is alive", last.Where)
			}
		}
	}
	next := Tenancy{
		Bowl: o.Bowl, Epoch: max(last.Epoch+1, uint64(time.Now().UnixMilli())), Where: o.Where, Start: start.UnixMilli(),
	}
	revision, err := o.Leases.Swap(ctx, o.Key, next.bytes(), e.Revision)
	if err != nil {
		return err
	}
	o.mu.Lock()
	o.epoch = next.Epoch
	o.mu.Unlock()
	return o.renewed(start, revision)
}

// renewed notes a refresh that has succeeded.
func (o *Office) renewed(start time.Time, revision uint64) error {
	o.mu.Lock()
	o.holder.Renewed(start, revision)
	until := o.holder.Until()
	o.vouched.Store(until.UnixNano())
	o.touched.Store(o.holder.Touched().UnixNano())
	o.mu.Unlock()
	if o.Renewed == nil {
		return nil
	}
	return o.Renewed(until)
}
