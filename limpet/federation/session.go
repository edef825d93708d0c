package federation

import (
	"context"
	"sync"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/claims"
	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/exchange"
	"kbus.example/kbus/limpet/federation/inbound"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/outbound"
	"kbus.example/kbus/limpet/federation/peerleases"
	"kbus.example/kbus/limpet/federation/retry"
)

// One life of a member, from taking its lease to losing it, and what is in it.

// session is one life of the member: one Ksock, one epoch. Whatever goes wrong ends it as a whole, and closing the Ksock
// undoes at once all that it stood for on the bus. If the federation is strict, the admission takes away what it vouched
// for.
type session struct {
	*Member
	admission *admission
	mirror    *mirror.Mirror
	life      life
	ksock     *kbus.Ksock

	keeper   *leasekeeper.Keeper
	claims   *claims.Claims // nil before there is a lease
	proxies  *proxies
	gaps     *gaps
	exchange *exchange.Exchange
	outbound *outbound.Outbound
	inbound  *inbound.Inbound
}

// life is how long a session lasts, and what runs in it.
type life struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	flows sync.WaitGroup
	begun time.Time
}

// flow runs until the session ends; its failure ends the session.
func (l *life) flow(run func(context.Context) error) {
	l.flows.Go(func() {
		if err := run(l.ctx); err != nil {
			l.end(err)
		}
	})
}

const (
	queueMessages  = 4096    // of our Ksock; when it is full, senders see that
	reportMessages = 1 << 20 // while the bus reports the Repliers that there are
	longer         = 64      // bytes that an envelope is longer than the same message in its entire form
)

func (m *Member) newSession(parent context.Context, a *admission, directory *mirror.Mirror) *session {
	s := &session{Member: m, admission: a, mirror: directory}
	s.life.ctx, s.life.end = context.WithCancelCause(parent)
	return s
}

// run runs the session, and reports whether it had begun in earnest.
func (s *session) run(parent context.Context) (begun bool, err error) {
	defer func() {
		s.life.end(nil)
		s.life.flows.Wait()
		if s.claims != nil {
			s.claims.Drain()
		}
	}()
	if s.ksock, err = s.Open(s.life.ctx); err != nil {
		return false, err
	}
	defer s.ksock.Close()
	s.admission.proxy.Store(uint32(s.ksock.ID()))
	err = s.begin()
	if err == nil {
		begun = true
		s.Log.Info("joined", "federation", s.Federation, "id", s.ID, "epoch", s.keeper.Epoch(), "bus", s.ksock.Bus())
		s.ready()
		<-s.life.ctx.Done()
		err = context.Cause(s.life.ctx)
	}
	s.mirror.Subscribe(nil)
	if dismissed := s.admission.dismiss(); dismissed != nil {
		return begun, dismissed
	}
	s.ksock.Close()
	if begun && parent.Err() != nil {
		s.leave()
	}
	return begun, err
}

// begin takes the lease and so begins an epoch, announces it to the others, and starts all flows.
func (s *session) begin() error {
	if err := s.takeLease(); err != nil {
		return err
	}
	resync, err := s.wire()
	if err != nil {
		return err
	}
	s.life.begun = time.Now()
	for i := range claims.Workers {
		s.life.flow(func(context.Context) error { return s.claims.Work(i) })
	}
	if err := s.bindNames(s.life.ctx, s.ksock); err != nil {
		return err
	}
	own, members, names := s.mirror.Subscribe(s)
	for _, m := range members {
		s.MemberChanged(m)
	}
	if own.ID == s.ID {
		s.MemberChanged(own)
	}
	for _, name := range names {
		s.ClaimChanged(name)
	}
	err = s.retry("the bowl cannot be announced yet", func(ctx context.Context) error { return s.recordEpoch(ctx, false) })
	if err != nil {
		return err
	}
	s.admission.admit(s.claims)
	if err := s.subscribe(); err != nil {
		return err
	}
	s.life.flow(s.outbound.Run)
	s.life.flow(newMaintenance(s, resync).run)
	s.life.flow(peerleases.New(s.mirror, s.Log).Run)
	return nil
}

// vouches reports whether this member may act for its names. It is asked at every delivery and reply. If it may not the session is
// over, also if the lease is refreshed in the next moment: what was not passed on now has no answer but that this epoch has ended.
func (s *session) vouches() bool {
	if s.Available || s.keeper.Vouches() {
		return true
	}
	s.life.end(errFenced)
	return false
}

func (s *session) retry(complaint string, try func(context.Context) error) error {
	return retry.Until(s.life.ctx, s.Log, complaint, try)
}
