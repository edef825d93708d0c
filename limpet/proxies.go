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
// behind us alone. In a tree of buses no proxy can therefore outlive the Replier that it stands for.

type proxy struct{ want, have bool }

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
	p := m.proxies[e.Name]
	if p == nil {
		if !e.Bind || len(m.proxies) == maxProxies {
			return
		}
		p = &proxy{}
		m.proxies[e.Name] = p
	}
	p.want = e.Bind
	m.settle(e.Name, p, false)
}

// settle makes a name's binding what it is wanted to be.
func (m *Machine) settle(name string, p *proxy, again bool) {
	switch {
	case p.want && !p.have:
		m.owe(Duty{Do: Bind, Name: name, Again: again})
	case !p.want && p.have:
		m.owe(Duty{Do: Unbind, Name: name, Again: again})
	default:
		m.forget(name, p)
	}
}

func (m *Machine) settled(name string, bound bool, c kbus.Condition) {
	p := m.proxies[name]
	if p == nil {
		return // tried twice, and wanted no more
	}
	if c == message.OK || !bound && c == message.ErrNotBound {
		p.have = bound
	}
	if p.want != p.have {
		m.unsettled[name] = p
		return
	}
	m.forget(name, p)
}

// forget leaves a name alone that is as it is wanted to be.
func (m *Machine) forget(name string, p *proxy) {
	delete(m.unsettled, name)
	if !p.want {
		delete(m.proxies, name)
	}
}

// compare tells the pair what has changed unnoticed, after events were lost (B25). Events still in our queue are newer
// than the ones that were lost, so if they contradict this they also have the last word.
func (m *Machine) compare(list []kbus.BindingInfo) {
	now := map[string]uint32{}
	for _, b := range list {
		if b.As == kbus.Replier && b.Ksock != m.Ksock && m.offers(b.Name) {
			now[b.Name] = b.Ksock
		}
	}
	for name, binder := range m.announced {
		if now[name] != binder {
			delete(m.announced, name)
			m.tellPair(false, binder, name)
		}
	}
	for name, binder := range now {
		if m.announced[name] != binder {
			m.announced[name] = binder
			m.tellPair(true, binder, name)
		}
	}
	for name, p := range m.unsettled {
		m.settle(name, p, true)
	}
}

func (m *Machine) tellPair(bind bool, binder uint32, name string) {
	msg := &kbus.Message{Name: kbus.NameReplierBindEvent}
	msg.Flags = kbus.Synthetic | kbus.AllOrFail // R6.12
	msg.Data = message.AppendBindEvent(nil, kbus.BindEvent{Bind: bind, Binder: binder, Name: name})
	m.passOn(msg)
}

// offers reports whether Repliers bound to that name are for the pair: every message for them matches Config.Name.
func (m *Machine) offers(name string) bool {
	if m.Legacy && beginsBindEvent(name) {
		return false
	}
	class := message.ClassOf(m.Name)
	if class == message.Exact {
		return name == m.Name
	}
	rest, inside := strings.CutPrefix(name, m.Name[:len(m.Name)-1])
	return inside && (class == message.Star || rest != "*" && !strings.Contains(rest, "."))
}
