package limpet

import (
	"strings"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Repliers are known to both ends by bind events.
//
// Events of our own Ksock are not passed on (R9.21), and all others are, so what the pair learns from us follows from what
// is behind us alone. In a tree of buses no proxy can therefore outlive the Replier that it stands for. In a ring, proxies
// could keep each other alive. So each is bound with the origin of its Replier, which bind events carry: the network where
// that is, and how many buses away. A bus never has a proxy for its own Repliers, and one that is too many buses away is
// nowhere: where proxies only stand for each other the number grows with each round, until they give up.

// eventFromBus tells the pair of a Replier on our bus. Events that the bus has not made itself are forged (R11.19).
func (m *Machine) eventFromBus(msg *kbus.Message) {
	e, ok := message.ParseBindEvent(msg.Data)
	switch {
	case msg.WantsUsToReply():
		m.answers.refuse(msg, remoteError(message.ErrBadName.Errno()))
		return
	case !ok || msg.IsReply() || !msg.Flags.Has(kbus.Synthetic) || e.Binder == m.Ksock:
		return
	}
	if m.offers(e.Name) {
		if e.Bind {
			if m.Legacy && m.announced[e.Name] == e.Binder {
				return // reported again, and an original Limpet would bind again
			}
			m.announced[e.Name] = e.Binder
		} else {
			delete(m.announced, e.Name)
		}
		m.passOn(msg)
	}
	if !e.Bind {
		m.proxies.free(e.Name)
	}
}

// compare tells the pair which Repliers have gone unnoticed, after events were lost (B25). Those that have come unnoticed
// the bus reports again, with their origins. Events still in our queue are newer than the ones that were lost, so if they
// contradict this they also have the last word.
func (m *Machine) compare(list []kbus.BindingInfo) {
	now := map[string]kbus.KsockID{}
	for _, b := range list {
		if b.As == kbus.Replier {
			now[b.Name] = b.Ksock
		}
	}
	for name, binder := range m.announced {
		if now[name] != binder {
			delete(m.announced, name)
			m.passOn(unbindEvent(binder, name))
		}
	}
	m.Retry(true)
}

// unbindEvent is the event that the bus would have sent.
func unbindEvent(binder kbus.KsockID, name string) *kbus.Message {
	msg := &kbus.Message{Name: kbus.NameReplierBindEvent}
	msg.Flags = kbus.Synthetic | kbus.AllOrFail // R6.12
	msg.Data = message.AppendBindEvent(nil, kbus.BindEvent{Binder: binder, Name: name})
	return msg
}

// offers reports whether Repliers bound to that name are for the pair: every message for them matches Config.Name.
func (c *Config) offers(name string) bool {
	return message.Covers(c.Name, name) && !isOwn(name) && !(c.Legacy && beginsBindEvent(name))
}

// isOwn reports whether a name is of those with which each bus reports on its own federation: its Replier, and what it reports
// of losses, are of that bus.
func isOwn(name string) bool { return strings.HasPrefix(name, "$.KBUS.Federation.") }

// beginsBindEvent reports whether the name is a proper prefix of that of a bind event.
func beginsBindEvent(name string) bool {
	return len(name) < len(kbus.NameReplierBindEvent) && name == kbus.NameReplierBindEvent[:len(name)]
}
