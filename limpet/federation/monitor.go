package federation

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/lease"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// Each bowl looks after the leases of the next few bowls, by number and around. So a bowl that dies is missed by
// somebody without everybody hearing from everybody. What the stream of leases publishes again tells when they were
// refreshed, also while the stream has no leader; only a lease that has not been heard of for a while is read, from any
// server that answers.

const (
	watched   = 3
	lookEvery = time.Second
	lookLimit = lookEvery / 2 // for an answer: what was sent to a server that is lost is sent again
)

// ward is a bowl that we look after.
type ward struct {
	lease.Watch
	bowl     directory.Bowl
	heard    *nats.Subscription
	lease    tenancy // as it was when it was seen last, at that revision
	revision uint64
}

// see notes how the lease stands.
func (w *ward) see(t tenancy, revision uint64) {
	w.See(now(), t.Sight(revision))
	if revision > w.revision {
		w.lease, w.revision = t, revision
	}
}

// due tells whether the bowl may be evicted.
func (w *ward) due() bool { return w.revision > 0 && !now().Before(w.Due()) }

// soon is how long it is until the first of them that is not due yet may be evicted. One that is due and was not evicted
// has its turn at the next beat.
func soon(wards map[uint32]*ward) time.Duration {
	first, now := lease.Evict, now()
	for _, w := range wards {
		if left := w.Due().Sub(now); left > 0 {
			first = min(first, left)
		}
	}
	return first
}

// monitor evicts bowls whose leases have not been refreshed, and clears away the names that they held.
func (s *session) monitor() error {
	refreshes := make(chan *nats.Msg, 64)
	wards := map[uint32]*ward{}
	defer func() {
		for _, w := range wards {
			_ = w.heard.Unsubscribe() // the connection may be gone
		}
	}()
	beat := time.NewTicker(lookEvery)
	defer beat.Stop()
	for {
		if err := s.lookAfter(wards, refreshes); err != nil {
			return err
		}
		for beaten := false; !beaten; {
			select {
			case <-s.ctx.Done():
				return nil
			case m := <-refreshes:
				s.refreshed(wards, m)
			case <-time.After(soon(wards)):
				for _, w := range wards {
					if w.due() {
						s.evictBowl(w)
					}
				}
			case <-beat.C:
				beaten = true
			}
		}
	}
}

// lookAfter looks at all wards that need it, having found out who they are.
func (s *session) lookAfter(wards map[uint32]*ward, refreshes chan *nats.Msg) error {
	next, size := s.atlas.successors(), s.atlas.size()
	for _, b := range next {
		if b.Over {
			s.clear(b)
			continue
		}
		w := wards[b.ID]
		if w == nil {
			heard, err := s.atlas.leases.Hear(subject.Lease(b.ID), refreshes)
			if err != nil {
				return err
			}
			w = &ward{heard: heard}
			wards[b.ID] = w
		}
		w.bowl = b
		switch {
		case w.due():
			s.evictBowl(w)
		case w.Quiet(now(), size):
			s.look(w)
		}
	}
	for id, w := range wards {
		if !slices.ContainsFunc(next, func(b directory.Bowl) bool { return b.ID == id }) {
			_ = w.heard.Unsubscribe() // the connection may be gone
			delete(wards, id)
		}
	}
	return nil
}

// refreshed notes that a lease was refreshed just now.
func (s *session) refreshed(wards map[uint32]*ward, m *nats.Msg) {
	var t tenancy
	e, ok := s.atlas.leases.Changed(m)
	if ok && json.Unmarshal(e.Value, &t) == nil && wards[t.Bowl] != nil {
		wards[t.Bowl].see(t, e.Revision)
	}
}

// look reads a lease.
func (s *session) look(w *ward) {
	ctx, cancel := context.WithTimeout(s.ctx, lookLimit)
	defer cancel()
	var t tenancy
	e, err := s.atlas.leases.Glance(ctx, subject.Lease(w.bowl.ID))
	if err != nil || json.Unmarshal(e.Value, &t) != nil || t.Bowl != w.bowl.ID {
		return // tried again
	}
	if w.see(t, e.Revision); t.Over {
		s.ended(t)
	}
}

// evictBowl ends a lease, if it is still as we have seen it last.
func (s *session) evictBowl(w *ward) {
	t := w.lease
	if !t.Over {
		t.Over = true
		ctx, cancel := context.WithTimeout(s.ctx, lookLimit)
		defer cancel()
		_, err := s.atlas.leases.Swap(ctx, subject.Lease(t.Bowl), marshal(t), w.revision)
		if errors.Is(err, store.ErrChanged) { // it lives, or somebody else was quicker
			s.look(w)
		}
		if err != nil {
			return // tried again, if need be
		}
		s.Log.Warn("evicted a bowl that is silent", "id", t.Bowl, "epoch", t.Epoch, "where", t.Where)
	}
	s.ended(t)
}

// ended tells the others that an epoch is over, and frees what it held. What does not succeed is tried again.
func (s *session) ended(t tenancy) {
	ctx, cancel := context.WithTimeout(s.ctx, lookLimit)
	defer cancel()
	if s.tellOfBowl(ctx, t.Bowl, t.Epoch, true) == nil {
		s.clear(directory.Bowl{ID: t.Bowl, Epoch: t.Epoch})
	}
}

// clear takes the names that an epoch held out of the directory, when that epoch is over.
func (s *session) clear(b directory.Bowl) {
	claims := s.atlas.claims(b.ID)
	for name, c := range claims {
		if c.Epoch > b.Epoch {
			continue
		}
		err := s.atlas.names.Delete(s.ctx, subject.Claim(name), c.Revision)
		if err != nil && !errors.Is(err, store.ErrChanged) {
			return // tried again
		}
	}
}
