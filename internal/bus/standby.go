package bus

import "kbus.example/kbus/message"

// A Ksock may stand by to become the Replier of a name. When the binding of the Replier goes, by whatever way, the Ksock that
// has stood by longest becomes the Replier in the same step: after the Statuses of the old one and its unbind event, and before
// any other operation. So there is no moment in which a Request finds no Replier. What the old one was asked is not asked again.
//
// A name has standbys only as long as it has a Replier, and that is a Ksock of this bus. A proxy has none: its Replier is on
// another bus, and may be bound again there. When a Limpet evicts a Replier, because the bus has lost its right to the name, the
// standbys go with it, for they have no right either.

// StandBy is Bind as Replier, but where the name has a Replier, k stands by. ErrReplierBound if k is that Replier, stands by
// already, or the Replier is on another bus. A standby is a binding for all limits. Unbind as Replier takes back either, since k
// cannot know which it is just then.
func StandBy(b *Bus, k *Ksock, name string) message.Condition { return standBy(b, k, name, b.bindHook) }

// StandByDecided is StandBy once the hook has been asked and has nothing against it.
func StandByDecided(b *Bus, k *Ksock, name string) message.Condition { return standBy(b, k, name, nil) }

func standBy(b *Bus, k *Ksock, name string, hook BindHook) message.Condition {
	if c := k.checkBinding(name); c != message.OK {
		return c
	}
	deposeExactly(b, name)
	g := b.bindings.group(name)
	if g == nil || g.replier == nil {
		return b.bind(&binding{ksock: k, name: name, replier: true}, hook)
	}
	n := &binding{ksock: k, name: name, standby: true, wildcard: message.ClassOf(name) != message.Exact}
	if c := b.mayBind(n); c != message.OK {
		return c
	}
	switch {
	case g.replier.ksock == k, g.standbyOf(k) != nil, !g.replier.of.IsZero():
		return message.ErrReplierBound
	case k.same(g, n) >= maxSame:
		return message.ErrSameBinding
	}
	if c := b.accounts.bind(k.account, n.wildcard); c != message.OK {
		return c
	}
	b.bindings.add(n)
	b.Work(len(g.standbys))
	return message.OK
}

// standbyOf is the binding through which k stands by, or nil.
func (g *group) standbyOf(k *Ksock) *binding {
	for _, n := range g.standbys {
		if n.ksock == k {
			return n
		}
	}
	return nil
}

// promote makes the Ksock that has stood by longest the Replier, if there is one, as a binding made now. Its event cannot fail:
// like that of the old Replier's close it is set aside for those without room. A Ksock that is closing is no recipient. Senders
// that wait for room have been woken by the end of the old binding.
func promote(b *Bus, name string, closing *Ksock) {
	g := b.bindings.group(name)
	if g == nil || len(g.standbys) == 0 {
		return
	}
	n := g.standbys[0]
	b.Work(len(g.standbys))
	b.bindings.remove(n)
	n.standby, n.replier, n.newer = false, true, nil
	if b.reportBinds {
		b.safeEvent(true, n, closing)
	}
	b.bindings.add(n)
	b.showBinding(EventBound, n, message.OK)
}

// dismiss takes away all standbys of a name.
func dismiss(b *Bus, name string) {
	for g := b.bindings.group(name); g != nil && len(g.standbys) > 0; {
		b.unbind(g.standbys[0])
	}
}
