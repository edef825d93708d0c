package federation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/claims"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/scope"
	"kbus.example/kbus/limpet/federation/store"
)

// admission is the bus's federator: it receives binds as Replier of shared names from the bus and passes each to the
// claims of the current session. While there is no session it refuses them (strict) or allows them (available). It
// outlives sessions, so there is no moment in which a name could be taken that another member holds. (The bus is on its
// own when this process is not there, unless the daemon's setting `federated` names it.)
//
// It ends with the member, or with the loss of the bus. Then nobody decides the bind requests that are left, and those whose
// decision was on its way: the closing of the Ksock does, which ends each in ErrNoFederation.
type admission struct {
	ctx       context.Context // ends with the member; what sessions ask of the bus is asked under it, for they end sooner
	scope     scope.Scope
	available bool
	ksock     *kbus.Ksock
	federator *kbus.Federator
	proxy     atomic.Uint32 // Ksock of the session, whose binds need no decision

	mu      sync.Mutex // also held while the bus is asked, so that a session that ends decides nothing afterwards
	current *claims.Claims
	vouched bool // a session has a lease, and Repliers may be bound because of it
}

// newAdmission becomes the bus's federator, until ctx ends. Then its Ksock must be closed.
func (m *Member) newAdmission(ctx context.Context) (*admission, error) {
	k, err := m.Open(ctx)
	if err != nil {
		return nil, err
	}
	a := &admission{ctx: ctx, scope: m.Names, available: m.Available, ksock: k}
	a.federator, err = k.Bridge().Federate(ctx, !m.Available, m.Names...)
	switch {
	case errors.Is(err, kbus.ErrNotPermitted):
		err = retry.Refuse("the daemon does not let this user join its bus to others, see its setting limpets: %w", err)
	case errors.Is(err, kbus.ErrReplierBound):
		err = retry.Refuse("bus %d is in a federation already, by another Limpet; `kbus list` shows who is on it: %w",
			k.Bus(), err)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return a, nil
}

// run passes on binds until ctx ends or the bus is lost.
func (a *admission) run(ctx context.Context) error {
	for {
		bind, err := a.federator.Next(ctx)
		if err != nil {
			return err
		}
		if uint32(bind.Ksock) == a.proxy.Load() {
			_ = a.federator.Decide(ctx, bind, 0) // the session sees how it ends
			continue
		}
		a.mu.Lock()
		current := a.current
		if current != nil { // under the lock, so that a session that has been dismissed gets none any more
			current.Bind(bind)
		}
		a.mu.Unlock()
		switch {
		case current != nil:
		case a.available:
			_ = a.federator.Decide(ctx, bind, 0)
		default:
			_ = a.federator.Decide(ctx, bind, kbus.ErrNoFederation)
		}
	}
}

// vouch notes that there is a lease.
func (a *admission) vouch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.vouched = true
}

// admit passes binds to a session's claims from now on.
func (a *admission) admit(c *claims.Claims) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = c
}

// Allow lets a bind go ahead, if the claims that ask for it are still those of the current session.
func (a *admission) Allow(by *claims.Claims, bind kbus.BindRequest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != by {
		_ = a.federator.Decide(a.ctx, bind, kbus.ErrNoFederation)
		return kbus.ErrNoFederation
	}
	return a.federator.Decide(a.ctx, bind, 0)
}

// Refuse fails a bind. The Ksock that asked for it may have gone.
func (a *admission) Refuse(bind kbus.BindRequest, why kbus.Condition) {
	_ = a.federator.Decide(a.ctx, bind, why)
}

// dismiss ends the decisions of a session, and takes away what it vouched for: when it returns no Replier of a shared name is
// bound. If the bus does not do that soon the admission is closed, and it will do it then, unasked.
func (a *admission) dismiss() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = nil
	if !a.vouched || a.available {
		return nil
	}
	a.vouched = false
	err := a.evictAll()
	if err != nil {
		a.ksock.Close()
	}
	return err
}

// evictAll unbinds all Repliers of shared names but the session's own. It has a context of its own, for the session's, and
// mostly the member's too, has ended.
func (a *admission) evictAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), store.Patience)
	defer cancel()
	bindings, err := a.ksock.Observer().Bindings(ctx)
	if err != nil {
		return err
	}
	for _, b := range bindings {
		if b.As != kbus.Replier || uint32(b.Ksock) == a.proxy.Load() || !a.scope.Covers(b.Name) {
			continue
		}
		if err := a.evict(ctx, b.Ksock, b.Name); err != nil {
			return err
		}
	}
	return nil
}

// Replier is who is the Replier of exactly that name, but for our own proxies, which stand for another member's.
func (a *admission) Replier(name string) (kbus.KsockID, error) {
	ksock, err := a.ksock.File().Replier(a.ctx, name)
	if err != nil || uint32(ksock) == a.proxy.Load() {
		return 0, err
	}
	return ksock, nil
}

// Evict unbinds a Replier. That it is not bound is no error.
func (a *admission) Evict(ksock kbus.KsockID, name string) error { return a.evict(a.ctx, ksock, name) }

func (a *admission) evict(ctx context.Context, ksock kbus.KsockID, name string) error {
	err := a.federator.Evict(ctx, ksock, name)
	if errors.Is(err, kbus.ErrNotBound) {
		return nil
	}
	return err
}
