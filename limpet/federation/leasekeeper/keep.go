package leasekeeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kbus.example/kbus/limpet/federation/lease"
	"kbus.example/kbus/limpet/federation/store"
)

// Lost is the error of a lease that is ours no more.
type Lost struct {
	Member uint32
	Now    Record // what the lease is; nothing if it cannot be read
	Ours   bool   // it is our epoch that is over
}

func (k *Lost) Error() string {
	switch {
	case k.Ours:
		return fmt.Sprintf("nobody had heard from bowl %d for too long, and its lease was ended", k.Member)
	case k.Now.Epoch == 0:
		return fmt.Sprintf("the lease of bowl %d was removed", k.Member)
	}
	return fmt.Sprintf("the lease of bowl %d has been taken by another, in epoch %d: %s; give each bowl its own --id",
		k.Member, k.Now.Epoch, k.Now.Where)
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

// Keep refreshes the lease, until ctx ends or the lease is ours no more: an *Lost. A refresh that is not answered soon
// is tried again, but an answer that comes late counts as well: where everything has become slow, it is all there is.
func (k *Keeper) Keep(ctx context.Context) error {
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
				a := attempt{start: k.now(), expects: k.revision()}
				go func() { answers <- k.attempt(ctx, a) }()
			}
			due.Reset(store.Patience)
		case a := <-answers:
			open--
			pause, err := k.answered(ctx, a)
			if err != nil {
				return err
			}
			due.Reset(pause - k.now().Sub(a.start))
		}
	}
}

func (k *Keeper) attempt(ctx context.Context, a attempt) attempt {
	ctx, cancel := context.WithTimeout(ctx, lease.Fence)
	defer cancel()
	a.made, a.err = k.Leases.Swap(ctx, k.Key, k.record(a.start).Bytes(), a.expects)
	return a
}

// answered takes the answer to a refresh, and returns how long after its start the next one is due. A refresh whose result
// is unknown may have been done: then the next one fails, and the lease says whether it is still ours.
func (k *Keeper) answered(ctx context.Context, a attempt) (pause time.Duration, err error) {
	switch {
	case a.err == nil:
		return k.every(), k.renewed(a.start, a.made)
	case !errors.Is(a.err, store.ErrChanged):
		if !k.Vouches() { // else there is time
			if err := k.Leases.Same(ctx); errors.Is(err, store.ErrAnew) {
				return 0, err
			}
		}
		return lease.Refresh / 10, nil
	case k.revision() != a.expects: // another one of ours was quicker
		return k.every(), nil
	}
	return 0, k.recover(ctx)
}

func (k *Keeper) every() time.Duration {
	members := 1
	if k.Members != nil {
		members = k.Members()
	}
	return lease.Every(members)
}

// recover learns the revision of a lease that has changed under us. It proves nothing, so the lease is not renewed by
// it.
func (k *Keeper) recover(ctx context.Context) error {
	e, err := k.Leases.Read(ctx, k.Key)
	switch {
	case errors.Is(err, store.ErrNone):
		return &Lost{Member: k.Member}
	case err != nil:
		return nil // tried again
	}
	var t Record
	switch {
	case json.Unmarshal(e.Value, &t) != nil || e.Deleted:
		return &Lost{Member: k.Member}
	case t.Over || t.Epoch != k.Epoch():
		return &Lost{Member: k.Member, Now: t, Ours: t.Epoch == k.Epoch()}
	}
	k.mu.Lock()
	k.holder.Revision = max(k.holder.Revision, e.Revision)
	k.mu.Unlock()
	return nil
}

// confirmEvery is how often a lease that nobody vouches for is looked at.
const confirmEvery = 100 * time.Millisecond

// Confirm returns when the lease is sure to be ours: at once, or after the next refresh if it is late. Whatever was done
// before is known then to have been done by the member that has the id. It ends with ctx, as Keep does when there is no
// hope.
func (k *Keeper) Confirm(ctx context.Context) error {
	for !k.Vouches() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(confirmEvery):
		}
	}
	return nil
}

// HandBack ends the lease, so that others need not wait to see that it is over.
func (k *Keeper) HandBack(ctx context.Context) error {
	over := k.record(k.now())
	over.Over = true
	_, err := k.Leases.Swap(ctx, k.Key, over.Bytes(), k.revision())
	return err
}

// record is the lease as we hold it, refreshed then.
func (k *Keeper) record(start time.Time) Record {
	return Record{Member: k.Member, Epoch: k.Epoch(), Where: k.Where, Start: start.UnixMilli()}
}

func (k *Keeper) revision() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.holder.Revision
}
