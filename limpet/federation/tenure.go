package federation

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"kbus"
	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/office"
	"kbus/limpet/federation/routing"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// tenancy is a lease as it is stored.
type tenancy = office.Tenancy

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of ours
	}
	return b
}

// buckets of the federation; names of buckets have no dots.
func (b *Bowl) bucket(what string) string { return "kb_" + b.Federation + "_" + what }

// insist tries until it succeeds, and says once that it does not.
func (s *session) insist(complaint string, try func(context.Context) error) error {
	return office.Insist(s.ctx, s.Log, complaint, try)
}

// takeOffice begins a new epoch of the bowl, and keeps the lease from then on. It is ours to take over if its last
// holder was on this very bus, for a bus has only one federator.
func (s *session) takeOffice() error {
	s.office = office.New(office.Config{
		Leases: s.atlas.leases, Key: subject.Lease(s.ID), Federation: s.Federation, Bowl: s.ID, Where: s.Where,
		Bowls: s.atlas.size, Renewed: s.renewed,
	})
	err := s.insist("there is no lease yet", s.office.Take)
	if err == nil {
		s.self = routing.Self{Bowl: s.ID, Epoch: s.office.Epoch()}
		s.guard.vouch()
		s.flow(func() error { return s.office.Keep(s.ctx) })
		s.flow(s.fence)
	}
	return err
}

// renewed vouches for the Repliers of the bus: until the lease is over the bus trusts them, and not a moment longer,
// whatever has become of this process by then.
func (s *session) renewed(until time.Time) error {
	return s.guard.federator.Vouch(time.Duration(until.UnixNano()))
}

// vouches tells whether this bowl may act for its names. It is asked at every delivery and reply.
func (s *session) vouches() bool { return s.Available || s.office != nil && s.office.Vouches() }

// inTouch tells whether the quorum has been heard of late.
func (s *session) inTouch() bool { return s.office != nil && s.office.InTouch() }

// fence ends the session when nobody has vouched for it for too long. The bus has unbound its Repliers by then; the
// guard must know.
func (s *session) fence() error {
	for {
		left := s.office.Left()
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
	return s.insist("the bowl cannot be announced yet", func(ctx context.Context) error {
		return s.tellOfBowl(ctx, s.ID, s.self.Epoch, false)
	})
}

// tellOfBowl notes in the directory that a bowl is in that epoch, or that this epoch has ended. What is known there of a
// later one stays, and so does an end.
func (s *session) tellOfBowl(ctx context.Context, id uint32, epoch uint64, over bool) error {
	b := directory.Bowl{ID: id, Epoch: epoch, Over: over}
	if id == s.ID {
		b.Where, b.Version = s.Where, kbus.Version
	}
	there := s.atlas.told(id)
	for first := true; ; first = false {
		if there.Epoch > epoch || there.Epoch == epoch && there.Over {
			return nil
		}
		_, err := s.atlas.names.Swap(ctx, subject.Bowl(id), marshal(b), there.Revision)
		if !first || !errors.Is(err, store.ErrChanged) {
			return err
		}
		e, err := s.atlas.names.Read(ctx, subject.Bowl(id))
		if err != nil && !errors.Is(err, store.ErrNone) {
			return err
		}
		there = directory.Bowl{}
		_ = json.Unmarshal(e.Value, &there) // what cannot be read is replaced
		there.Revision = e.Revision
	}
}

// leave tells the others that this epoch is over, when the bowl ends in order. What is not told in time they find out.
func (s *session) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), store.Patience)
	defer cancel()
	s.mu.Lock()
	claims := map[string]uint64{}
	for name, h := range s.held {
		claims[name] = h.revision
	}
	s.mu.Unlock()
	if err := s.office.HandBack(ctx); err != nil {
		s.Log.Warn("could not hand the lease back: others will need some seconds to find out", "why", err)
		return
	}
	for name, revision := range claims {
		if err := s.atlas.names.Delete(ctx, subject.Claim(name), revision); err != nil {
			s.Log.Warn("could not hand names back: others will need some seconds to find out", "why", err)
			return
		}
	}
	_ = s.tellOfBowl(ctx, s.ID, s.self.Epoch, true) // the lease has said so
}
