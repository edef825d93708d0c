package model

import "kbus.example/kbus/message"

// What Limpets carry here from other buses. Listeners hear each message once, by whatever ways it comes; a message is
// known by its network, the incarnation of its bus (in extra) and its serial number.

// heard is one carried message that Listeners have heard.
type seen struct {
	network, incarnation, serial uint32
	by                           *Ksock
	mixed                        bool // the one before it from that bus came by another Ksock, which is open
}

// Carry makes k a Ksock that carries, to this bus of that network id (0: it does not say). All that say it must say the
// same.
func (b *Bus) Carry(k *Ksock, network uint32) (incarnation uint32, c message.Condition) {
	for _, other := range b.ksocks {
		if network != 0 && other.network != 0 && other.network != network {
			return 0, message.ErrOtherNetwork
		}
	}
	k.carries = true
	if network != 0 {
		k.network = network
	}
	return or(b.config.Incarnation, 1), message.OK
}

// BindProxy is Bind as Replier in the stead of one elsewhere, whose origin is in the bind events.
func (b *Bus) BindProxy(k *Ksock, name string, of message.Origin) message.Condition {
	if !k.carries {
		return message.ErrNotPermitted
	}
	return b.bind(&binding{ksock: k, replier: true, name: name, of: of})
}

func isCarried(k *Ksock, m message.Message) bool {
	return k.carries && m.ID.Network != 0 && m.Extra != 0
}

// from lists what has come of the bus that m was sent on.
func (b *Bus) from(m message.Message) (list []seen) {
	for _, h := range b.seen {
		if h.network == m.ID.Network && h.incarnation == m.Extra {
			list = append(list, h)
		}
	}
	return list
}

// known says whether Listeners have heard a carried message. Of each bus the last 4096 numbers are remembered. What is
// older is new if all from there has come by k, or by one that has gone.
func (b *Bus) known(k *Ksock, m message.Message) message.Condition {
	for _, other := range b.ksocks {
		if other.network == m.ID.Network {
			return message.ErrHeard // it was sent here
		}
	}
	if m.Extra == or(b.config.Incarnation, 1) {
		return message.ErrHeard
	}
	list := b.from(m)
	if len(list) == 0 {
		return message.OK
	}
	top, before, mixed := list[0].serial, false, false
	for _, h := range list {
		if int32(h.serial-top) > 0 {
			top = h.serial
		}
		before = before || h.serial == m.ID.Serial
		mixed = mixed || h.mixed
	}
	last := list[len(list)-1]
	switch old := int32(m.ID.Serial-top) <= -4096; {
	case old && (mixed || b.differs(last, k)):
		return message.ErrStale
	case !old && before:
		return message.ErrHeard
	}
	return message.OK
}

func (b *Bus) differs(last seen, k *Ksock) bool { return last.by != k && contains(b.ksocks, last.by) }

// note remembers a message that Listeners have heard now.
func (b *Bus) note(k *Ksock, m message.Message) {
	list := b.from(m)
	mixed := len(list) > 0 && b.differs(list[len(list)-1], k)
	b.seen = append(b.seen, seen{m.ID.Network, m.Extra, m.ID.Serial, k, mixed})
}
