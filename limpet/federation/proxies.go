package federation

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kbus"
	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/routing"
	"kbus/message"
)

// A name that another bowl has claimed is bound on our bus by our own Ksock. So the bus itself says at once that there
// is a Replier, or that there is none, or that the name is taken, as if there were one bus only.

// proxies are the names that our Ksock is bound to for others.
type proxies struct {
	mu    sync.Mutex // held while the bus is told
	bound map[string]kbus.Origin
	due   map[string]bool // could not be done; to be tried again
	full  map[string]bool // as these, because the bus has no room for more bindings: when there is some
}

// maxHops is how many buses away a Replier may be, by pairs and us together; what is farther is nowhere.
const maxHops = 16

// claimChanged learns of another claim on a name, or of its end.
func (s *session) claimChanged(name string) {
	if c, claimed := s.atlas.claim(name); claimed && c.Bowl == s.ID && c.Epoch <= s.self.Epoch {
		s.put(job{what: (*session).stray, name: name, revision: c.Revision})
	}
	if err := s.reconcile(name); err != nil {
		s.end(err)
	}
}

// bowlChanged learns of another epoch. What the last one owed is owed no more.
func (s *session) bowlChanged(b directory.Bowl) {
	if b.ID == s.ID {
		if b.Epoch > s.self.Epoch || b.Epoch == s.self.Epoch && b.Over {
			s.end(errUsurp)
		}
		return
	}
	over := b.Epoch - 1
	if b.Over {
		over = b.Epoch
	}
	var out routing.Out
	s.mu.Lock()
	s.asker.Over(b.ID, over, &out)
	s.answerer.Over(b.ID, over)
	s.mu.Unlock()
	s.owe(&out)
}

// reconcile makes the bus have what the directory says of a name. What the bus cannot do now is tried again; anything
// else that fails ends the session.
func (s *session) reconcile(name string) error {
	s.proxies.mu.Lock()
	defer s.proxies.mu.Unlock()
	p := &s.proxies
	if p.bound == nil {
		p.bound, p.due, p.full = map[string]kbus.Origin{}, map[string]bool{}, map[string]bool{}
	}
	delete(p.due, name)
	delete(p.full, name)
	c, claimed := s.atlas.claim(name)
	s.mu.Lock()
	held := s.held[name] != nil
	s.mu.Unlock()
	of := c.Of()
	want := claimed && c.Bowl != s.ID && s.covers(name) && of.Network != s.ID && of.Local <= maxHops
	if bound, ok := p.bound[name]; ok && !(want && bound == of) {
		err := s.ksock.Unbind(name, kbus.Replier)
		switch {
		case err == nil || errors.Is(err, kbus.ErrNotBound):
			delete(p.bound, name)
			p.roomAgain()
		case errors.Is(err, kbus.ErrEventUndelivered):
			p.due[name] = true
			return nil
		default:
			return err
		}
	}
	if _, ok := p.bound[name]; want && !ok {
		err := s.ksock.BindProxy(name, of)
		switch {
		case err == nil:
			p.bound[name] = of
		case errors.Is(err, kbus.ErrReplierBound):
			p.due[name] = true
			if !held {
				s.evictUnclaimed(name)
			}
		case errors.Is(err, kbus.ErrEventUndelivered):
			p.due[name] = true
		case errors.Is(err, kbus.ErrUserBindings), errors.Is(err, kbus.ErrBusBindings):
			if len(p.full) == 0 {
				s.Log.Warn("the bus has no room for all names of the federation: some are not known there; raise the daemon's "+
					"limits on bindings", "proxies", len(p.bound), "why", err)
			}
			p.full[name] = true
		default:
			return err
		}
	}
	return nil
}

// roomAgain has what the bus had no room for be tried again. mu is held.
func (p *proxies) roomAgain() {
	maps.Copy(p.due, p.full)
	clear(p.full)
}

// evictUnclaimed takes away a Replier of our bus whose name another bowl holds.
func (s *session) evictUnclaimed(name string) {
	ksock, err := s.ksock.Replier(name)
	if err != nil || ksock == 0 || ksock == s.own {
		return
	}
	s.Log.Warn("a Replier is unbound: another bowl holds its name", "name", name, "ksock", ksock)
	s.evict(ksock, name)
}

// retry does what could not be done.
func (s *session) retry() error {
	s.proxies.mu.Lock()
	due := slices.Collect(maps.Keys(s.proxies.due))
	s.proxies.mu.Unlock()
	for _, name := range due {
		if err := s.reconcile(name); err != nil {
			return err
		}
	}
	return nil
}

// heardEvent takes a bind event of our bus.
func (s *session) heardEvent(m *kbus.Message) {
	e, ok := kbus.ParseBindEvent(m.Data)
	if !ok || e.Binder == s.own || !s.covers(e.Name) {
		return
	}
	j := job{what: (*session).unbound, name: e.Name, ksock: e.Binder, of: m.OrigFrom}
	if e.Bind {
		j.what = (*session).bound
	}
	s.put(j)
}

// remoteError is the Status for a Request that a bus did not take (R9.37, Q7).
func remoteError(err error) string {
	var c kbus.Condition
	if !errors.As(err, &c) {
		c = message.ErrBusGone
	}
	var b strings.Builder
	b.WriteString(message.PrefixRemoteError)
	b.WriteString(strconv.Itoa(int(c.Errno())))
	return b.String()
}
