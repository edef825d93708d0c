package federation

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/claims"
	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/scope"
)

// proxies binds our own Ksock to names that other members have claimed. So the bus itself knows at once that there is a
// Replier, or that there is none, or that the name is taken, as if there were one bus only.
type proxies struct {
	id        uint32 // of our member
	scope     scope.Scope
	ksock     *kbus.Ksock
	mirror    *mirror.Mirror
	claims    *claims.Claims
	admission *admission
	log       *slog.Logger

	mu     sync.Mutex             // held while the bus is asked
	bound  map[string]kbus.Origin // names that we are bound to, and for whom
	due    map[string]bool        // could not be done; to be tried again
	full   map[string]bool        // the bus has no room for more bindings, or rules against them; when that may have changed
	warned bool                   // that there are such
}

func newProxies(s *session) *proxies {
	return &proxies{
		id: s.ID, scope: s.Names, ksock: s.ksock, mirror: s.mirror, claims: s.claims, admission: s.admission, log: s.Log,
		bound: map[string]kbus.Origin{}, due: map[string]bool{}, full: map[string]bool{},
	}
}

// maxHops is how many buses away a Replier may be, by pairs and us together; what is farther is nowhere.
const maxHops = 16

// reconcile makes the bus have what the directory says of a name. What the bus cannot do now is tried again; anything
// else that fails is returned.
func (p *proxies) reconcile(ctx context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.due, name)
	delete(p.full, name)
	c, claimed := p.mirror.Claim(name)
	held := p.claims.Held(name)
	of := c.Of()
	want := claimed && c.Member != p.id && p.scope.Covers(name) && of.Network != p.id && of.Local <= maxHops
	if bound, ok := p.bound[name]; ok && !(want && bound == of) {
		err := p.ksock.Unbind(ctx, name, kbus.Replier)
		switch {
		case err == nil || errors.Is(err, kbus.ErrNotBound):
			delete(p.bound, name)
			p.retryFull()
		case errors.Is(err, kbus.ErrEventUndelivered):
			p.due[name] = true
			return nil
		default:
			return err
		}
	}
	if _, ok := p.bound[name]; want && !ok {
		err := p.ksock.Bridge().BindProxy(ctx, name, of)
		switch {
		case err == nil:
			p.bound[name] = of
		case errors.Is(err, kbus.ErrReplierBound):
			p.due[name] = true
			if !held {
				return p.evictUnclaimed(ctx, name)
			}
		case errors.Is(err, kbus.ErrEventUndelivered):
			p.due[name] = true
		case refusesName(err):
			if !p.warned {
				p.warned = true
				p.log.Warn("the bus does not take all names of the federation: some are not known there; raise the daemon's "+
					"limits on bindings, or see its access rules", "proxies", len(p.bound), "name", name, "why", err)
			}
			p.full[name] = true
		default:
			return err
		}
	}
	return nil
}

// refusesName reports whether a Bind has failed because of what the bus may take, so that others need not.
func refusesName(err error) bool {
	for _, c := range [...]kbus.Condition{kbus.ErrUserBindings, kbus.ErrBusBindings, kbus.ErrUserWildcards, kbus.ErrDenied} {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

// retryFull has what the bus had no room for be tried again. mu is held.
func (p *proxies) retryFull() {
	maps.Copy(p.due, p.full)
	clear(p.full)
}

// retryAll has also what the bus had no room for be tried again: its limits may have been raised, or its rules changed.
func (p *proxies) retryAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warned = p.warned && len(p.full) > 0
	p.retryFull()
}

// evictUnclaimed takes away a Replier of our bus whose name another member holds.
func (p *proxies) evictUnclaimed(ctx context.Context, name string) error {
	ksock, err := p.ksock.File().Replier(ctx, name)
	if err != nil || ksock == 0 || ksock == p.ksock.ID() {
		return nil
	}
	p.log.Warn("a Replier is unbound: another bowl holds its name", "name", name, "ksock", ksock)
	return p.admission.Evict(ksock, name)
}

// retry does what could not be done.
func (p *proxies) retry(ctx context.Context) error {
	p.mu.Lock()
	due := slices.Collect(maps.Keys(p.due))
	p.mu.Unlock()
	for _, name := range due {
		if err := p.reconcile(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
