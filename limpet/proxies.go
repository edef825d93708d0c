package limpet

import (
	"strings"

	"kbus"
	"kbus/message"
)

// Repliers are known to both ends by bind events. For each name that has a Replier beyond the link we want to be the
// Replier on our own bus. Whether we can be is another matter: somebody here may be it already (R9.51), or a bind event
// may not fit everywhere just now. So each name has what is wanted and what is, and what differs is tried again: when
// the Replier here goes, and from time to time.
//
// Events of our own Ksock are not passed on (R9.21), and all others are, so what we tell the pair follows from what is
// behind us alone. In a tree of buses no proxy can therefore outlive the Replier that it stands for. In a ring, proxies
// could keep each other alive. So each is bound with the origin of its Replier, which bind events tell: the network where
// that is, and how many buses away. A bus never has a proxy for its own Repliers, and one that is too many buses away is
// nowhere: where proxies only stand for each other the number grows with each round, until they give up.

type proxy struct {
	want, have bool
	of         kbus.Origin // of the Replier that is wanted
	bound      kbus.Origin // of the one that we are bound for, if we are
}

// maxHops is how many buses away a Replier may be.
const maxHops = 16

// maxProxies is how many names the pair may have us stand for. The bus has its own limit on bindings; this one is for
// those that it refuses.
const maxProxies = 1 << 16

// eventFromBus tells the pair of a Replier on our bus. Events that the bus has not made itself are forged (R11.19).
func (m *Machine) eventFromBus(msg *kbus.Message) {
	e, ok := message.ParseBindEvent(msg.Data)
	switch {
	case msg.WantsUsToReply():
		m.refuse(msg, remoteError(message.ErrBadName.Errno()))
		return
	case !ok || msg.IsReply() || !msg.Flags.Has(kbus.Synthetic) || e.Binder == m.Ksock:
		return
	}
	if m.offers(e.Name) {
		if e.Bind {
			m.announced[e.Name] = e.Binder
		} else {
			delete(m.announced, e.Name)
		}
		m.passOn(msg)
	}
	if p := m.proxies[e.Name]; p != nil && !e.Bind {
		m.settle(e.Name, p, false)
	}
}

// eventFromPair makes us a proxy, or ends that (R9.30).
func (m *Machine) eventFromPair(msg *kbus.Message) {
	e, ok := message.ParseBindEvent(msg.Data)
	if !ok || !msg.Flags.Has(kbus.Synthetic) || message.CheckBinding(e.Name) != message.OK {
		return
	}
	of := kbus.Origin{Network: msg.OrigFrom.Network, Local: msg.OrigFrom.Local + 1}
	if of.Network == 0 {
		of.Network = m.PairID
	}
	want := e.Bind && !isOwn(e.Name) && of.Network != m.OwnID && of.Local > 0 && of.Local <= maxHops
	p := m.proxies[e.Name]
	if p == nil {
		if !want || len(m.proxies) == maxProxies {
			return
		}
		p = &proxy{}
		m.proxies[e.Name] = p
	}
	p.want, p.of = want, of
	m.settle(e.Name, p, false)
}

// settle makes a name's binding what it is wanted to be.
func (m *Machine) settle(name string, p *proxy, again bool) {
	switch {
	case p.have && !p.right():
		m.owe(Duty{Do: Unbind, Name: name, Again: again})
	case p.want && !p.have:
		d := Duty{Do: Bind, Name: name, Again: again}
		if m.Incarnation != 0 {
			d.Of = p.of
		}
		m.owe(d)
	default:
		m.forget(name, p)
	}
}

// right reports whether a binding is for whom it is wanted to be.
func (p *proxy) right() bool { return p.want && p.bound == p.of }

func (m *Machine) settled(d Duty, c kbus.Condition) {
	p := m.proxies[d.Name]
	if p == nil {
		return // tried twice, and wanted no more
	}
	bound := d.Do == Bind
	done := c == message.OK || !bound && c == message.ErrNotBound
	if done {
		p.have = bound
	}
	if done && bound {
		p.bound = d.Of
		if d.Of.IsZero() {
			p.bound = p.of // which nobody asks for then
		}
	}
	delete(m.unsettled, d.Name)
	delete(m.blocked, d.Name)
	switch {
	case p.have == p.want && (!p.have || p.right()):
		m.forget(d.Name, p)
	case done:
		m.settle(d.Name, p, d.Again)
	case c == message.ErrReplierBound, c == message.ErrUserBindings, c == message.ErrBusBindings:
		m.blocked[d.Name] = p
	default:
		m.unsettled[d.Name] = p
	}
}

// forget leaves a name alone that is as it is wanted to be.
func (m *Machine) forget(name string, p *proxy) {
	delete(m.unsettled, name)
	delete(m.blocked, name)
	if !p.want {
		delete(m.proxies, name)
	}
}

// compare tells the pair which Repliers have gone unnoticed, after events were lost (B25): unbind events, for a Bind fails
// if its event does not fit. Events still in our queue are newer than the ones that were lost, so if they contradict this
// they also have the last word.
func (m *Machine) compare(list []kbus.BindingInfo) {
	now := map[string]uint32{}
	for _, b := range list {
		if b.As == kbus.Replier {
			now[b.Name] = b.Ksock
		}
	}
	for name, binder := range m.announced {
		if now[name] != binder {
			delete(m.announced, name)
			m.tellUnbound(binder, name)
		}
	}
	m.Retry(true)
}

func (m *Machine) tellUnbound(binder uint32, name string) {
	msg := &kbus.Message{Name: kbus.NameReplierBindEvent}
	msg.Flags = kbus.Synthetic | kbus.AllOrFail // R6.12
	msg.Data = message.AppendBindEvent(nil, kbus.BindEvent{Binder: binder, Name: name})
	m.passOn(msg)
}

// offers reports whether Repliers bound to that name are for the pair: every message for them matches Config.Name.
func (m *Machine) offers(name string) bool {
	return message.Covers(m.Name, name) && !isOwn(name) && !(m.Legacy && beginsBindEvent(name))
}

// isOwn reports whether a name is of those by which each bus tells of its own federation: its Replier, and what it says of
// losses, are of that bus.
func isOwn(name string) bool { return strings.HasPrefix(name, "$.KBUS.Federation.") }
