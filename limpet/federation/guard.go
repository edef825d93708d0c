package federation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"kbus"
)

// guard is the bus's federator. It outlives sessions: between two of them, and while there is no quorum, nobody becomes
// the Replier of a shared name, so there is no moment in which a name could be taken that another bowl holds. (The bus
// is on its own when this process is not there, unless the daemon's setting `federated` names it.)
type guard struct {
	*Bowl
	ksock     *kbus.Ksock
	federator *kbus.Federator
	atlas     *atlas
	proxy     atomic.Uint32 // Ksock of the session, whose Binds need nobody's word

	mu      sync.Mutex
	session *session // whose claims count, nil if there is none
	vouched bool     // a session has a lease, and Repliers may be bound because of it
}

// newGuard becomes the bus's federator.
func (b *Bowl) newGuard(ctx context.Context) (*guard, error) {
	k, err := b.Open(ctx)
	if err != nil {
		return nil, err
	}
	g := &guard{Bowl: b, ksock: k}
	g.federator, err = k.Federate(!b.Available, b.Names...)
	switch {
	case errors.Is(err, kbus.ErrNotPermitted):
		err = refuse("the daemon does not let this user join its bus to others, see its setting limpets: %w", err)
	case errors.Is(err, kbus.ErrReplierBound):
		err = refuse("bus %d is in a federation already, by another Limpet; `kbus list` shows who is on it: %w",
			k.Bus(), err)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return g, nil
}

// watch takes the Binds that wait for our word. Without a session the word is no.
func (g *guard) watch(ctx context.Context) error {
	for {
		c, err := g.federator.Next(ctx)
		if err != nil {
			return err
		}
		if c.Ksock == g.proxy.Load() {
			_ = g.federator.Decide(c, 0) // our session sees how it ends
			continue
		}
		g.mu.Lock()
		s := g.session
		if s != nil { // under the lock, so that a session that has been dismissed gets none any more
			s.put(job{what: (*session).decide, name: c.Name, ksock: c.Ksock, claim: c})
		}
		g.mu.Unlock()
		switch {
		case s != nil:
		case g.Available:
			_ = g.federator.Decide(c, 0)
		default:
			_ = g.federator.Decide(c, kbus.ErrNoFederation)
		}
	}
}

// vouch notes that there is a lease.
func (g *guard) vouch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.vouched = true
}

// admit has claims go to a session.
func (g *guard) admit(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.session = s
}

// allow lets a Bind go ahead, if the session that says so still counts.
func (g *guard) allow(s *session, c kbus.Claim) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.session != s {
		_ = g.federator.Decide(c, kbus.ErrNoFederation)
		return kbus.ErrNoFederation
	}
	return g.federator.Decide(c, 0)
}

// dismiss ends the say of a session, and takes away what it vouched for: from when it returns no Replier of a shared
// name is bound.
func (g *guard) dismiss() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.session = nil
	if !g.vouched || g.Available {
		return nil
	}
	g.vouched = false
	bindings, err := g.ksock.Bindings()
	if err != nil {
		return err
	}
	for _, b := range bindings {
		if b.As != kbus.Replier || b.Ksock == g.proxy.Load() || !shares(g.Names, b.Name) {
			continue
		}
		if err := g.evict(b.Ksock, b.Name); err != nil {
			return err
		}
	}
	return nil
}

func (g *guard) evict(ksock uint32, name string) error {
	err := g.federator.Evict(ksock, name)
	if errors.Is(err, kbus.ErrNotBound) {
		return nil
	}
	return err
}
