package federation

import (
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
)

// ward is a bowl that we look after.
type ward struct {
	lease.Watch
	heard *nats.Subscription
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
	for beat := time.Tick(lookEvery); ; {
		select {
		case <-s.ctx.Done():
			return nil
		case m := <-refreshes:
			if e, ok := s.atlas.leases.Changed(m); ok {
				s.refreshed(wards, e)
			}
			continue
		case <-beat:
		}
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
			if w.Quiet(now(), size) {
				s.look(b, w)
			}
		}
		for id, w := range wards {
			if !slices.ContainsFunc(next, func(b directory.Bowl) bool { return b.ID == id }) {
				_ = w.heard.Unsubscribe() // the connection may be gone
				delete(wards, id)
			}
		}
	}
}

// refreshed notes that a lease was refreshed just now.
func (s *session) refreshed(wards map[uint32]*ward, e store.Entry) {
	var t tenancy
	if json.Unmarshal(e.Value, &t) == nil && wards[t.Bowl] != nil {
		wards[t.Bowl].See(now(), e.Revision)
	}
}

// look looks at one lease, and evicts its holder if it has not changed for too long.
func (s *session) look(b directory.Bowl, w *ward) {
	e, err := s.atlas.leases.Glance(s.ctx, subject.Lease(b.ID))
	var t tenancy
	if err != nil || json.Unmarshal(e.Value, &t) != nil {
		return
	}
	evict := w.See(now(), e.Revision)
	if !t.Over && !evict {
		return
	}
	if !t.Over {
		t.Over = true
		if _, err := s.atlas.leases.Swap(s.ctx, subject.Lease(b.ID), marshal(t), e.Revision); err != nil {
			return // it lives, or somebody else was quicker
		}
		s.Log.Warn("evicted a bowl that is silent", "id", b.ID, "epoch", t.Epoch, "where", t.Where)
	}
	_ = s.tellOfBowl(s.ctx, b.ID, t.Epoch, true) // tried again
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
