package bus

import (
	"bytes"

	"kbus.example/kbus/message"
)

// A Replier may attach a card to its name: what a Request of it should say, for people and for tools. To the bus a card is bytes.
// It belongs to the binding and goes with it; one that a standby has attached is the name's when it becomes the Replier. It is
// charged to its user like a message.

// Describe attaches a card to the binding by which k is the Replier of exactly that name or wildcard, or stands by; an empty card
// takes it away. ErrNotBound, ErrUserQueueBytes, ErrBusQueueBytes, or as Bind for the name; ErrMessageTooLong over
// message.MaxCardBytes.
func Describe(b *Bus, k *Ksock, name string, card []byte) message.Condition {
	if c := k.checkBinding(name); c != message.OK {
		return c
	}
	n := b.find(k, name, true)
	switch {
	case n == nil:
		return message.ErrNotBound
	case len(card) > message.MaxCardBytes:
		return message.ErrMessageTooLong
	}
	if more := cardCharge(card) - cardCharge(n.card); more > 0 {
		b.plan.bill.looked = false
		if c := b.fits(k.account, more, more); c != message.OK {
			return c
		}
		b.accounts.charge(k.account, more)
	} else {
		b.discharge(k.account, -more)
	}
	n.card = bytes.Clone(card)
	return message.OK
}

// CardOf gives the card of a Replier, nil if it has none or is not there: of the one that is bound to exactly that text, else of the one that
// a Request of that name would go to. It must not be changed.
func CardOf(b *Bus, name string) []byte {
	if g := b.bindings.group(name); g != nil && g.replier != nil {
		return g.replier.card
	}
	if message.CheckName(name) != message.OK {
		return nil
	}
	if _, r := b.bindings.match([]byte(name)); r != nil {
		return r.card
	}
	return nil
}

// cardCharge is what a card counts, in bytes.
func cardCharge(card []byte) int64 {
	if len(card) == 0 {
		return 0
	}
	return charge(0, len(card))
}
