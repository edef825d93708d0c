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

// attempt is one refresh on its way.
type attempt struct {
	start   time.Time
	expects uint64 // revision that it replaces
	made    uint64
	err     error
}

// mostAttempts are as many as can be worth waiting for: what is answered later than the lease lasts renews nothing.
const mostAttempts = int(lease.Fence / store.Patience)

// Keep refreshes the lease, until ctx ends or the lease is ours no more: an *Ousted. A refresh that is not answered soon
// is tried again, but an answer that comes late counts as well: where everything has become slow, it is all there is.
func (o *Office) Keep(ctx context.Context) error {
	answers := make(chan attempt, mostAttempts)
	open := 0
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due.C:
			if open < mostAttempts {
				open++
				a := attempt{start: o.now(), expects: o.revision()}
				go func() { answers <- o.attempt(ctx, a) }()
			}
			due.Reset(store.Patience)
		case a := <-answers:
			open--
			pause, err := o.answered(ctx, a)
			if err != nil {
				return err
			}
			due.Reset(pause - o.now().Sub(a.start))
		}
	}
}

func (o *Office) attempt(ctx context.Context, a attempt) attempt {
	ctx, cancel := context.WithTimeout(ctx, lease.Fence)
	defer cancel()
	a.made, a.err = o.Leases.Swap(ctx, o.Key, o.tenancy(a.start).bytes(), a.expects)
	return a
}

// answered takes the answer to a refresh, and tells how long after its start the next one is due. A refresh whose result
// is unknown may have been done: then the next one fails, and the lease says whether it is still ours.
func (o *Office) answered(ctx context.Context, a attempt) (pause time.Duration, err error) {
	switch {
	case a.err == nil:
		return o.every(), o.renewed(a.start, a.made)
	case !errors.Is(a.err, store.ErrChanged):
		return lease.Refresh / 10, nil
	case o.revision() != a.expects: // another one of ours was quicker
		return o.every(), nil
	}
	return 0, o.recover(ctx)
}

func (o *Office) every() time.Duration {
	bowls := 1
	if o.Bowls != nil {
		bowls = o.Bowls()
	}
	return lease.Every(bowls)
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
	over := o.tenancy(o.now())
	over.Over = true
	_, err := o.Leases.Swap(ctx, o.Key, over.bytes(), o.revision())
	return err
}

// tenancy is the lease as we hold it, refreshed then.
func (o *Office) tenancy(start time.Time) Tenancy {
	return Tenancy{Bowl: o.Bowl, Epoch: o.Epoch(), Where: o.Where, Start: start.UnixMilli()}
}

func (o *Office) revision() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder.Revision
}
