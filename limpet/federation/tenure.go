package federation

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"kbus"
	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/lease"
	"kbus/limpet/federation/routing"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// tenancy is a lease as it is stored.
type tenancy struct {
	Bowl  uint32 `json:"bowl"`
	Epoch uint64 `json:"epoch"`
	Over  bool   `json:"over,omitempty"` // ended, by its bowl or by who evicted it
	Where string `json:"where,omitempty"`
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of ours
	}
	return b
}

// buckets of the federation; names of buckets have no dots.
func (b *Bowl) bucket(what string) string { return "kb_" + b.Federation + "_" + what }

// openStores opens the buckets, as soon as there is somebody who can. A cluster that has just been started needs a few
// seconds for that.
func (s *session) openStores() error {
	return s.insist("the federation's directory cannot be opened yet", func() (err error) {
		ctx, cancel := context.WithTimeout(s.ctx, 2*store.Patience)
		defer cancel()
		if s.names, err = store.OpenBucket(ctx, s.nc, s.bucket("names"), s.space.Changes("names"), s.Replicas); err != nil {
			return err
		}
		s.leases, err = store.OpenBucket(ctx, s.nc, s.bucket("leases"), s.space.Changes("leases"), s.Replicas)
		return err
	})
}

// insist tries until it succeeds, and says once that it does not.
func (s *session) insist(complaint string, try func() error) error {
	for said := false; ; {
		err := try()
		var refusal *Refusal
		if err == nil || errors.As(err, &refusal) {
			return err
		}
		if !said {
			s.Log.Warn(complaint+", trying on", "why", err)
			said = true
		}
		select {
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// takeOffice begins a new epoch of the bowl, and keeps the lease from then on. An earlier epoch was ours if it was on
// this very bus, and is over then, for a bus has only one federator. If it was elsewhere its holder must have been
// silent for as long as for an eviction.
func (s *session) takeOffice() error {
	var watch lease.Watch
	var first uint64
	err := s.insist("there is no lease yet", func() error {
		start := now()
		e, err := s.leases.Read(s.ctx, subject.Lease(s.ID))
		var last tenancy
		switch {
		case errors.Is(err, store.ErrNone):
		case err != nil:
			return err
		default:
			if err := json.Unmarshal(e.Value, &last); err != nil {
				return refuse("the lease of bowl %d cannot be read, is bucket %s really ours?: %w", s.ID, s.bucket("leases"), err)
			}
			if first == 0 {
				first = e.Revision
			}
			if !last.Over && last.Where != s.Where {
				if e.Revision != first {
					return refuse("another bowl has id %d and is alive: %s; give each its own --id", s.ID, last.Where)
				}
				if !watch.See(start, e.Revision) {
					return errors.New("bowl " + last.Where + " has this id, waiting whether it is alive")
				}
			}
		}
		next := tenancy{Bowl: s.ID, Epoch: max(last.Epoch+1, uint64(time.Now().UnixMilli())), Where: s.Where}
		revision, err := s.leases.Swap(s.ctx, subject.Lease(s.ID), marshal(next), e.Revision)
		if err != nil {
			return err
		}
		s.self = routing.Self{Bowl: s.ID, Epoch: next.Epoch}
		return s.renewed(start, revision)
	})
	if err == nil {
		s.guard.vouch()
		s.flow(s.keepOffice)
		s.flow(s.fence)
	}
	return err
}

// keepOffice refreshes the lease. A refresh whose result is unknown may have been done: then the next one fails, and
// the lease says whether it is still ours.
func (s *session) keepOffice() error {
	for {
		pause := lease.Refresh
		start := now()
		s.mu.Lock()
		revision := s.holder.Revision
		s.mu.Unlock()
		value := marshal(tenancy{Bowl: s.ID, Epoch: s.self.Epoch, Where: s.Where})
		next, err := s.leases.Swap(s.ctx, subject.Lease(s.ID), value, revision)
		switch {
		case err == nil:
			if err := s.renewed(start, next); err != nil {
				return err
			}
		case errors.Is(err, store.ErrChanged):
			if err := s.recover(); err != nil {
				return err
			}
			pause = 0
		default:
			pause = lease.Refresh / 10
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-time.After(pause - now().Sub(start)):
		}
	}
}

// recover learns the revision of a lease that has changed under us. It proves nothing, so the lease is not renewed by
// it.
func (s *session) recover() error {
	e, err := s.leases.Read(s.ctx, subject.Lease(s.ID))
	if err != nil {
		return nil // tried again
	}
	var t tenancy
	if json.Unmarshal(e.Value, &t) != nil || e.Deleted || t.Over || t.Epoch != s.self.Epoch {
		return errFenced
	}
	s.mu.Lock()
	s.holder.Revision = max(s.holder.Revision, e.Revision)
	s.mu.Unlock()
	return nil
}

// renewed notes a refresh that has succeeded, and vouches for the Repliers of the bus: until the lease is over the bus
// trusts them, and not a moment longer, whatever has become of this process by then.
func (s *session) renewed(start time.Time, revision uint64) error {
	s.mu.Lock()
	s.holder.Renewed(start, revision)
	until := s.holder.Until()
	s.vouched.Store(until.UnixNano())
	s.touched.Store(s.holder.Touched().UnixNano())
	s.mu.Unlock()
	return s.guard.federator.Vouch(time.Duration(until.UnixNano()))
}

// vouches tells whether this bowl may act for its names. It is asked at every delivery and reply.
func (s *session) vouches() bool { return s.Available || now().UnixNano() < s.vouched.Load() }

// inTouch tells whether the quorum has been heard of late.
func (s *session) inTouch() bool { return now().UnixNano() < s.touched.Load() }

// fence ends the session when nobody has vouched for it for too long. The bus has unbound its Repliers by then; the
// guard must know.
func (s *session) fence() error {
	for {
		s.mu.Lock()
		left := s.holder.Until().Sub(now())
		s.mu.Unlock()
		if left <= 0 && !s.Available {
			if err := s.guard.dismiss(); err != nil { // this first, and whatever else later
				s.guard.ksock.Close()
				return err
			}
			return errFenced
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-time.After(max(left, time.Second/10)):
		}
	}
}

// announceBowl tells the others of our epoch.
func (s *session) announceBowl() error {
	return s.insist("the bowl cannot be announced yet", func() error {
		return s.tellOfBowl(s.ctx, s.ID,
			s.self.Epoch, false)
	})
}

// tellOfBowl notes in the directory that a bowl is in that epoch, or that this epoch has ended.
func (s *session) tellOfBowl(ctx context.Context, id uint32, epoch uint64, over bool) error {
	key := subject.Bowl(id)
	e, err := s.names.Read(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNone) {
		return err
	}
	b := directory.Bowl{ID: id, Epoch: epoch, Over: over}
	if id == s.ID {
		b.Where, b.Version = s.Where, kbus.Version
	}
	_, err = s.names.Swap(ctx, key, marshal(b), e.Revision)
	return err
}

// leave tells the others that this epoch is over, when the bowl ends in order. What is not told in time they find out.
func (s *session) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), store.Patience)
	defer cancel()
	s.mu.Lock()
	revision := s.holder.Revision
	claims := map[string]uint64{}
	for name, h := range s.held {
		claims[name] = h.revision
	}
	s.mu.Unlock()
	over := tenancy{Bowl: s.ID, Epoch: s.self.Epoch, Over: true, Where: s.Where}
	if _, err := s.leases.Swap(ctx, subject.Lease(s.ID), marshal(over), revision); err != nil {
		s.Log.Warn("could not hand the lease back: others will need some seconds to find out", "why", err)
		return
	}
	for name, revision := range claims {
		if err := s.names.Delete(ctx, subject.Claim(name), revision); err != nil {
			s.Log.Warn("could not hand names back: others will need some seconds to find out", "why", err)
			return
		}
	}
	_ = s.tellOfBowl(ctx, s.ID, s.self.Epoch, true) // the lease has said so
}
