package federation

import (
	"context"
	"errors"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/store"
)

// An epoch of the member is as long as its session: the lease begins it, and the directory tells the others. It ends when
// the member leaves, when its lease runs out, or when another member has ended it.

var (
	errFenced = errors.New("nobody has vouched for this bowl for too long: it has given its names up")
	errUsurp  = errors.New("the directory knows a later epoch of this bowl")
)

// fence ends the session when nobody has vouched for it for too long. The bus has unbound its Repliers by then; the
// admission must know. It looks often, for timers stand still while the machine sleeps, and leases do not.
func (s *session) fence(ctx context.Context) error {
	for {
		left := s.keeper.Left()
		if left <= 0 && !s.Available {
			if err := s.admission.dismiss(); err != nil { // this first, and whatever else later
				s.admission.ksock.Close()
				return err
			}
			return errFenced
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(max(left, time.Second/10), time.Second)):
		}
	}
}

// ClaimChanged learns of another claim on a name, or of its end.
func (s *session) ClaimChanged(name string) {
	if c, claimed := s.mirror.Claim(name); claimed && c.Member == s.ID && c.Epoch <= s.keeper.Epoch() {
		s.claims.InDirectory(name, c.Revision)
	}
	if err := s.proxies.reconcile(s.life.ctx, name); err != nil {
		s.life.end(err)
	}
}

// MemberChanged learns of another epoch. What the last one owed is owed no more.
func (s *session) MemberChanged(m directory.Member) {
	if m.ID == s.ID {
		if epoch := s.keeper.Epoch(); m.Epoch > epoch || m.Epoch == epoch && m.Over {
			s.life.end(errUsurp)
		}
		return
	}
	over := m.Epoch - 1
	if m.Over {
		over = m.Epoch
	}
	s.exchange.Over(s.life.ctx, m.ID, over)
}

// recordEpoch writes our epoch into the directory, or that it is over.
func (s *session) recordEpoch(ctx context.Context, over bool) error {
	return s.mirror.Record(ctx, directory.Member{
		ID: s.ID, Epoch: s.keeper.Epoch(), Over: over, Where: s.Where, Version: kbus.Version,
	})
}

// leave ends this epoch for the others, when the member ends in order. What does not succeed in time they find out.
func (s *session) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), store.Patience)
	defer cancel()
	if err := s.keeper.HandBack(ctx); err != nil {
		s.Log.Warn("could not hand the lease back: others will need some seconds to find out", "why", err)
		return
	}
	if err := s.claims.Release(ctx); err != nil {
		s.Log.Warn("could not hand names back: others will need some seconds to find out", "why", err)
		return
	}
	_ = s.recordEpoch(ctx, true) // the lease has said so
}
