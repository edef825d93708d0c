package bus

import (
	"bytes"
	"iter"
	"slices"

	"kbus/message"
)

// Bindings are found by their text, not by trying each against a name: one table for exact names, one each for `*` and
// `%` by what stands before the wildcard. A name of d words is looked up d+2 times, however many bindings there are.
// Within a table entry the bindings stand oldest first; whoever needs the bus's order, newest first (R1.29), goes by
// their sequence numbers.

type binding struct {
	ksock        *Ksock
	name         string
	replier      bool
	of           message.Origin // of whom it is the proxy, if it is one: its network, and how many buses away that is
	made         uint64         // sequence number
	older, newer *binding
}

// group is all bindings of one text. At most one of them is a replier's (R1.26).
type group struct {
	listeners []*binding
	replier   *binding
}

type bindings struct {
	byClass [message.Exact + 1]map[string]*group // keyed by the text without its wildcard
	newest  *binding
	made    uint64
	scratch []*binding
}

func (t *bindings) init() {
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
	class, k := key(n.name)
	g := t.byClass[class][k]
	if g == nil {
		g = &group{}
		t.byClass[class][k] = g
	}
	if n.replier {
		g.replier = n
	} else {
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
	class, k := key(n.name)
	g := t.byClass[class][k]
	if n.replier {
		g.replier = nil
	} else {
		g.listeners = drop(g.listeners, n)
	}
	if g.replier == nil && len(g.listeners) == 0 {
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

// find gives the Ksock's newest binding of that text and role (R6.2), or nil.
func (k *Ksock) find(name string, replier bool) *binding {
	for i := len(k.bindings) - 1; i >= 0; i-- {
		if n := k.bindings[i]; n.replier == replier && n.name == name {
			return n
		}
	}
	return nil
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
func (b *Bus) Replier(name string) uint32 {
	if name == "" {
		return 0
	}
	if g := b.bindings.group(name); g != nil && g.replier != nil {
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

// Who gives the Ksock that would be asked by a Request of that name, or nil, and one Ksock for each binding that would
// listen to it, newest binding first.
func (b *Bus) Who(name string) (replier *Ksock, listeners []*Ksock) {
	if message.CheckName(name) != message.OK {
		return nil, nil
	}
	ls, r := b.bindings.match([]byte(name))
	for _, l := range ls {
		listeners = append(listeners, l.ksock)
	}
	if r != nil {
		replier = r.ksock
	}
	return replier, listeners
}

// BindingInfo is one binding, for reports.
type BindingInfo struct {
	Ksock   *Ksock
	Replier bool
	Name    string
}

// Bindings yields all bindings, newest first (R8.2).
func (b *Bus) Bindings() iter.Seq[BindingInfo] {
	return func(yield func(BindingInfo) bool) {
		for n := b.bindings.newest; n != nil; n = n.older {
			if !yield(BindingInfo{n.ksock, n.replier, n.name}) {
				return
			}
		}
	}
}
