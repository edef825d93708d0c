package model

import "kbus.example/kbus/message"

// Cards: what a Replier says of its name.

// Describe attaches a card to the binding of a Replier, or of one that stands by.
func Describe(b *Bus, k *Ksock, name string, card []byte) message.Condition {
	if c := checkBinding(k, name); c != message.OK {
		return c
	}
	for _, x := range b.bindings {
		if x.ksock != k || x.name != name || !x.replier && !x.standby {
			continue
		}
		if len(card) > 16384 {
			return message.ErrMessageTooLong
		}
		more := cardCost(card) - cardCost(x.card)
		if c := b.fits(bill{{uid: k.uid, bytes: more}}, k.uid); more > 0 && c != message.OK {
			return c
		}
		x.card = clone(card)
		return message.OK
	}
	return message.ErrNotBound
}

func cardCost(card []byte) int {
	if len(card) == 0 {
		return 0
	}
	return 128 + len(card)
}

// CardOf is the card of the Replier of that text, or of the one that a Request of that name would go to.
func CardOf(b *Bus, name string) []byte {
	if x := b.replierOf(name); x != nil {
		return x.card
	}
	if x, _ := b.recipients(name); ValidName(name, false) && x != nil {
		return x.card
	}
	return nil
}
