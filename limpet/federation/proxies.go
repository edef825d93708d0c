package federation

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kbus"
	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/routing"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
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

// changed takes a change of the directory.
func (s *session) changed(e store.Entry) error {
	if subject.IsBowl(e.Key) {
		return s.bowlChanged(e)
	}
	name, ok := subject.Claimed(e.Key)
	if !ok {
		return nil // not ours; whoever put it there may know why
	}
	c := directory.Claim{}
	valid := !e.Deleted && json.Unmarshal(e.Value, &c) == nil && c.Bowl != 0
	c.Revision = e.Revision
	s.mu.Lock()
	if valid {
		s.table.Set(name, c)
	} else {
		s.table.Remove(name)
	}
	s.mu.Unlock()
	if valid && c.Bowl == s.ID && c.Epoch <= s.self.Epoch {
		s.put(job{what: (*session).stray, name: name, revision: c.Revision})
	}
	return s.reconcile(name)
}

// bowlChanged learns of another epoch. What the last one owed is owed no more.
func (s *session) bowlChanged(e store.Entry) error {
	var b directory.Bowl
	if e.Deleted || json.Unmarshal(e.Value, &b) != nil || subject.Bowl(b.ID) != e.Key || b.Epoch == 0 {
		return nil
	}
	b.Revision = e.Revision
	if b.ID == s.ID {
		if b.Epoch > s.self.Epoch || b.Epoch == s.self.Epoch && b.Over {
			return errUsurp
		}
		return nil
	}
	var out routing.Out
	s.mu.Lock()
	s.table.SetBowl(b)
	over := b.Epoch - 1
	if b.Over {
		over = b.Epoch
	}
	s.asker.Over(b.ID, over, &out)
	s.answerer.Over(b.ID, over)
	s.mu.Unlock()
	s.owe(&out)
	return nil
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
	s.mu.Lock()
	c, claimed := s.table.Claim(name)
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
