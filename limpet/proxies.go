package limpet

import (
	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// proxies are the names that have a Replier beyond the link. For each of them we want to be the Replier on our own bus.
// Whether we can be is another matter: another Ksock here may be it already (R9.51), or a bind event may not fit
// everywhere just now. So each name has what is wanted and what is, and what differs is tried again: when the Replier
// here goes, and from time to time.
type proxies struct {
	config  *Config
	actions *actions
	all     map[string]*proxy
	pending map[string]*proxy // not as they are wanted
	blocked map[string]*proxy // wanted, and our bus has another Replier for the name, or no room
	refused uint64            // offers of names that were too many
}

type proxy struct {
	want, have bool
	of         kbus.Origin // of the Replier that is wanted
	bound      kbus.Origin // of the one that we are bound for, if we are
}

// maxHops is how many buses away a Replier may be.
const maxHops = 16

func newProxies(c *Config, a *actions) proxies {
	return proxies{config: c, actions: a, all: map[string]*proxy{}, pending: map[string]*proxy{}, blocked: map[string]*proxy{}}
}

// event takes a bind event of the pair, which makes us a proxy or ends that (R9.30).
func (ps *proxies) event(msg *kbus.Message) {
	e, ok := message.ParseBindEvent(msg.Data)
	if !ok || !msg.Flags.Has(kbus.Synthetic) || message.CheckBinding(e.Name) != message.OK {
		return
	}
	of := kbus.Origin{Network: msg.OrigFrom.Network, Local: msg.OrigFrom.Local + 1}
	if of.Network == 0 {
		of.Network = ps.config.PairID
	}
	want := e.Bind && !isOwn(e.Name) && of.Network != ps.config.OwnID && of.Local > 0 && of.Local <= maxHops
	ps.want(e.Name, want, of)
}

// want notes whether the name has a Replier beyond the link, and where that is.
func (ps *proxies) want(name string, want bool, of kbus.Origin) {
	p := ps.all[name]
	if p == nil {
		if !want {
			return
		}
		if ps.config.MaxNames > 0 && len(ps.all) >= ps.config.MaxNames {
			ps.refused++
			return
		}
		p = &proxy{}
		ps.all[name] = p
	}
	p.want, p.of = want, of
	ps.reconcile(name, p, false)
}

// free notes that the name has lost its Replier on our bus.
func (ps *proxies) free(name string) {
	if p := ps.all[name]; p != nil {
		ps.reconcile(name, p, false)
	}
}

// reconcile makes a name's binding what it is wanted to be.
func (ps *proxies) reconcile(name string, p *proxy, again bool) {
	switch {
	case p.have && !p.right():
		ps.actions.emit(Action{Kind: Unbind, Name: name, Again: again})
	case p.want && !p.have:
		a := Action{Kind: Bind, Name: name, Again: again}
		if ps.config.Incarnation != 0 {
			a.Of = p.of
		}
		ps.actions.emit(a)
	default:
		ps.finish(name, p)
	}
}

// right reports whether a binding is for the Replier that is wanted.
func (p *proxy) right() bool { return p.want && p.bound == p.of }

// done takes the outcome of a Bind or Unbind.
func (ps *proxies) done(did Action, c kbus.Condition) {
	p := ps.all[did.Name]
	if p == nil {
		return // tried twice, and wanted no more
	}
	bound := did.Kind == Bind
	done := c == message.OK || !bound && c == message.ErrNotBound
	if done {
		p.have = bound
	}
	if done && bound {
		p.bound = did.Of
		if did.Of.IsZero() {
			p.bound = p.of // which the bus does not ask for then
		}
	}
	delete(ps.pending, did.Name)
	delete(ps.blocked, did.Name)
	switch {
	case p.have == p.want && (!p.have || p.right()):
		ps.finish(did.Name, p)
	case done:
		ps.reconcile(did.Name, p, did.Again)
	case c == message.ErrReplierBound, c == message.ErrUserBindings, c == message.ErrBusBindings, c == message.ErrUserWildcards, c == message.ErrDenied:
		ps.blocked[did.Name] = p
	default:
		ps.pending[did.Name] = p
	}
}

// finish leaves a name alone that is as it is wanted to be.
func (ps *proxies) finish(name string, p *proxy) {
	delete(ps.pending, name)
	delete(ps.blocked, name)
	if !p.want {
		delete(ps.all, name)
	}
}

// retry tries again what could not be done; with blocked also where our bus had another Replier, no room, or a rule
// against it.
func (ps *proxies) retry(blocked bool) {
	for name, p := range ps.pending {
		ps.reconcile(name, p, true)
	}
	if blocked {
		for name, p := range ps.blocked {
			ps.reconcile(name, p, true)
		}
	}
}

// bound is how many names we are Replier for.
func (ps *proxies) bound() (n int) {
	for _, p := range ps.all {
		if p.have {
			n++
		}
	}
	return n
}
