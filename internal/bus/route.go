package bus

import (
	"bytes"
	"iter"
	"slices"

	"kbus.example/kbus/message"
)

// Bindings are found by their text, not by trying each against a name: there is one table for exact names, and one each
// for `*` and `%` by what stands before the wildcard. A name of d words is looked up d+2 times, however many bindings
// there are. Within an entry of a table the bindings stand oldest first; where the bus's order, newest first (R1.29),
// is needed, their sequence numbers give it.

type binding struct {
	ksock        *Ksock
	name         string
	replier      bool
	standby      bool           // it becomes the Replier's when that goes; see standby.go
	deposed      bool           // of a Replier that must go, and has not gone yet; see deposed.go
	of           message.Origin // of a proxy: the network of its Replier, and how many buses away that is
	made         uint64         // sequence number
	wildcard     bool
	card         []byte // of a Replier, or of one that stands by
	queued       int    // messages in the queue that came through it
	older, newer *binding
}

// group is all bindings of one text. At most one of them is a replier's (R1.26).
type group struct {
	listeners []*binding
	replier   *binding
	standbys  []*binding // the first in line first; only where there is a replier
}

type bindings struct {
	byClass  [message.Exact + 1]map[string]*group // keyed by the text without its wildcard
	newest   *binding
	made     uint64
	changes  uint64 // counts what was added and removed, from 1
	repliers int
	reported int64 // what an event for each of those is charged
	walks    []*walk[binding]
	scratch  []*binding
	aside    setAside // their events, for those who had no room
}

func (t *bindings) init() {
	t.changes = 1
	for i := range t.byClass {
		t.byClass[i] = map[string]*group{}
	}
}

// key is the class of a binding's text and the text without its wildcard.
func key(name string) (message.Wildcard, string) {
	class := message.ClassOf(name)
	if class == message.Exact {
		return class, name
	}
	return class, name[:len(name)-1]
}

func (t *bindings) group(name string) *group {
	class, k := key(name)
	return t.byClass[class][k]
}

func (t *bindings) add(n *binding) {
	t.changes++
	class, k := key(n.name)
	g := t.byClass[class][k]
	if g == nil {
		g = &group{}
		t.byClass[class][k] = g
	}
	switch {
	case n.replier:
		g.replier = n
		t.repliers++
		t.reported += n.eventCharge()
	case n.standby:
		g.standbys = append(g.standbys, n)
	default:
		g.listeners = append(g.listeners, n)
	}
	t.made++
	n.made = t.made
	n.older = t.newest
	if t.newest != nil {
		t.newest.newer = n
	}
	t.newest = n
	n.ksock.bindings = append(n.ksock.bindings, n)
}

func (t *bindings) remove(n *binding) {
	t.changes++
	step(t.walks, n, n.older)
	class, k := key(n.name)
	g := t.byClass[class][k]
	switch {
	case n.replier:
		g.replier = nil
		t.repliers--
		t.reported -= n.eventCharge()
	case n.standby:
		g.standbys = drop(g.standbys, n)
	default:
		g.listeners = drop(g.listeners, n)
	}
	if g.replier == nil && len(g.listeners)+len(g.standbys) == 0 {
		delete(t.byClass[class], k)
	}
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		t.newest = n.older
	}
	if n.older != nil {
		n.older.newer = n.newer
	}
	n.ksock.bindings = drop(n.ksock.bindings, n)
}

// find gives the Ksock's newest binding of that text and role (R6.2), or nil; for a Replier that may be one that stands by. It
// looks where there are fewer: at the bindings of the Ksock, or of the text.
func (b *Bus) find(k *Ksock, name string, replier bool) *binding {
	g := b.bindings.group(name)
	switch {
	case g == nil:
		return nil
	case replier:
		if g.replier != nil && g.replier.ksock == k {
			return g.replier
		}
		return g.standbyOf(k)
	case len(g.listeners) < len(k.bindings):
		for i := len(g.listeners) - 1; i >= 0; i-- {
			if n := g.listeners[i]; n.ksock == k {
				return n
			}
		}
		return nil
	}
	for i := len(k.bindings) - 1; i >= 0; i-- {
		if n := k.bindings[i]; !n.replier && !n.standby && n.name == name {
			return n
		}
	}
	return nil
}

// same counts the bindings of a Ksock that have the text of n; g is all of that text.
func (k *Ksock) same(g *group, n *binding) (count int) {
	if g == nil {
		return 0
	}
	if g.replier != nil && g.replier.ksock == k || g.standbyOf(k) != nil {
		count++
	}
	if len(g.listeners) < len(k.bindings) {
		for _, l := range g.listeners {
			count += oneIf(l.ksock == k)
		}
		return count
	}
	for _, l := range k.bindings {
		count += oneIf(!l.replier && !l.standby && l.name == n.name)
	}
	return count
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// match gives all listener bindings that match a message name, newest first, and the most specific replier binding
// (R4.10, R1.27, F2). The list is valid until the next call.
func (t *bindings) match(name []byte) (listeners []*binding, replier *binding) {
	listeners = t.scratch[:0]
	groups := 0
	add := func(g *group) {
		if g == nil {
			return
		}
		if replier == nil { // the groups come most specific first
			replier = g.replier
		}
		if len(g.listeners) > 0 {
			groups++
		}
		for i := len(g.listeners) - 1; i >= 0; i-- {
			listeners = append(listeners, g.listeners[i])
		}
	}
	add(t.byClass[message.Exact][string(name)])
	prefix := name[:bytes.LastIndexByte(name, '.')+1]
	if len(t.byClass[message.Percent]) > 0 {
		add(t.byClass[message.Percent][string(prefix)])
	}
	if stars := t.byClass[message.Star]; len(stars) > 0 {
		for len(prefix) > 0 {
			add(stars[string(prefix)])
			prefix = prefix[:bytes.LastIndexByte(prefix[:len(prefix)-1], '.')+1]
		}
	}
	if groups > 1 {
		slices.SortFunc(listeners, func(x, y *binding) int {
			if x.made > y.made {
				return -1
			}
			return 1
		})
	}
	t.scratch = listeners
	return listeners, replier
}

// Replier gives the Ksock that is bound as Replier to exactly that text, or 0 (R3.31, R3.32).
func (b *Bus) Replier(name string) message.KsockID {
	if name == "" {
		return 0
	}
	if g := b.bindings.group(name); g != nil && g.replier != nil && !g.replier.deposed {
		return g.replier.ksock.id
	}
	return 0
}

// CheckReplierQuery is the check on the name in a REPLIER query: its length only, and empty is "too long" (R3.33).
func CheckReplierQuery(name string) message.Condition {
	if name == "" || len(name) > message.MaxNameBytes {
		return message.ErrNameTooLong
	}
	return message.OK
}

// Who gives the Replier that a Request of that name would go to, or nil, and one Ksock for each binding that would
// listen to it, newest binding first.
func (b *Bus) Who(name string) (replier *Ksock, listeners []*Ksock) {
	if message.CheckName(name) != message.OK {
		return nil, nil
	}
	ls, r := b.bindings.match([]byte(name))
	for _, l := range b.allowed(ls, []byte(name)) {
		listeners = append(listeners, l.ksock)
	}
	if r != nil && !r.deposed {
		replier = r.ksock
	}
	return replier, listeners
}

// BindingInfo is one binding, for reports.
type BindingInfo struct {
	Ksock   *Ksock
	Replier bool
	Standby bool // it becomes the Replier when that goes
	Name    string
}

func (n *binding) info() BindingInfo { return BindingInfo{n.ksock, n.replier, n.standby, n.name} }

// Bindings yields all bindings, newest first (R8.2).
func (b *Bus) Bindings() iter.Seq[BindingInfo] {
	return func(yield func(BindingInfo) bool) {
		for n := b.bindings.newest; n != nil; n = n.older {
			if !yield(n.info()) {
				return
			}
		}
	}
}
