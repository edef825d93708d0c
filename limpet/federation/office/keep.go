package office

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kbus/limpet/federation/lease"
	"kbus/limpet/federation/store"
)

// Ousted says that the lease is ours no more.
type Ousted struct {
	Bowl uint32
	Now  Tenancy // what the lease is; nothing if it cannot be read
	Ours bool    // it is our epoch that is over
}

func (o *Ousted) Error() string {
	switch {
	case o.Ours:
		return fmt.Sprintf("nobody had heard from bowl %d for too long, and its lease was ended", o.Bowl)
	case o.Now.Epoch == 0:
		return fmt.Sprintf("the lease of bowl %d was removed", o.Bowl)
	}
	return fmt.Sprintf("the lease of bowl %d has been taken by another, in epoch %d: %s; give each bowl its own --id",
		o.Bowl, o.Now.Epoch, o.Now.Where)
}

// Keep refreshes the lease, until ctx ends or the lease is ours no more: an *Ousted.
func (o *Office) Keep(ctx context.Context) error {
	for {
		start := o.now()
		pause, err := o.refresh(ctx, start)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause - o.now().Sub(start)):
		}
	}
}

// refresh does it once, and tells when it is due again. A refresh whose result is unknown may have been done: then the
// next one fails, and the lease says whether it is still ours.
func (o *Office) refresh(ctx context.Context, start time.Time) (pause time.Duration, err error) {
	next, err := o.Leases.Swap(ctx, o.Key, o.tenancy().bytes(), o.revision())
	switch {
	case err == nil:
		return lease.Refresh, o.renewed(start, next)
	case errors.Is(err, store.ErrChanged):
		return 0, o.recover(ctx)
	}
	return lease.Refresh / 10, nil
}

// recover learns the revision of a lease that has changed under us. It proves nothing, so the lease is not renewed by
// it.
func (o *Office) recover(ctx context.Context) error {
	e, err := o.Leases.Read(ctx, o.Key)
	switch {
	case errors.Is(err, store.ErrNone):
		return &Ousted{Bowl: o.Bowl}
	case err != nil:
		return nil // tried again
	}
	var t Tenancy
	switch {
	case json.Unmarshal(e.Value, &t) != nil || e.Deleted:
		return &Ousted{Bowl: o.Bowl}
	case t.Over || t.Epoch != o.Epoch():
		return &Ousted{Bowl: o.Bowl, Now: t, Ours: t.Epoch == o.Epoch()}
	}
	o.mu.Lock()
	o.holder.Revision = max(o.holder.Revision, e.Revision)
	o.mu.Unlock()
	return nil
}

// confirmEvery is how often a lease that nobody vouches for is looked at.
const confirmEvery = 100 * time.Millisecond

// Confirm returns when the lease is sure to be ours: at once, or after the next refresh if it is late. Whatever was done
// before is known then to have been done by the bowl that has the id. It ends with ctx, as Keep does when there is no
// hope.
func (o *Office) Confirm(ctx context.Context) error {
	for !o.Vouches() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(confirmEvery):
		}
	}
	return nil
}

// HandBack ends the lease, so that others need not wait to see that it is over.
func (o *Office) HandBack(ctx context.Context) error {
	over := o.tenancy()
	over.Over = true
	_, err := o.Leases.Swap(ctx, o.Key, over.bytes(), o.revision())
	return err
}

// tenancy is the lease as we hold it.
func (o *Office) tenancy() Tenancy { return Tenancy{Bowl: o.Bowl, Epoch: o.Epoch(), Where: o.Where} }

func (o *Office) revision() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder.Revision
}
