package model

import "kbus.example/kbus/message"

// Sending (R3.65-R3.72). What a message looks like has been checked before it comes here, and so has that the Ksock is
// not sending already (R3.57).

// Outcome is what a SEND came to.
type Outcome struct {
	ID      message.ID // when Err is OK or ErrPending (R3.67)
	Reached uint32     // copies put on queues
	Skipped uint32     // Listeners' copies left out because their queue was full (R4.18)
	Err     message.Condition
}

// Send sends a message (R3.65 steps 3 and 5 to 9).
func (b *Bus) Send(k *Ksock, m message.Message) Outcome {
	m.Flags &^= message.Synthetic
	return b.send(k, m, b.newNumber(), true, false)
}

// SendToListeners sends to Listeners only, whatever the message is, and has no addressee (B24).
func (b *Bus) SendToListeners(k *Ksock, m message.Message) Outcome {
	m.Flags &^= message.Synthetic
	m.To = 0
	return b.send(k, m, b.newNumber(), true, true)
}

// Resend is SEND while a message is pending: the same with the same id (R3.68). ErrNothingToSend if none is.
func (b *Bus) Resend(k *Ksock) Outcome {
	if k.pending == nil {
		return Outcome{Err: message.ErrNothingToSend}
	}
	return b.send(k, *k.pending, k.number, false, k.aside)
}

// send runs steps 5 to 9 of R3.65. All that does not end in ErrPending ends the sending state (R3.66).
func (b *Bus) send(k *Ksock, m message.Message, number int, first, aside bool) Outcome {
	if m.IsRequest() && !aside && !b.canAsk(k) {
		k.pending = nil
		if b.stopping {
			return Outcome{Err: message.ErrStopping}
		}
		return Outcome{Err: message.ErrNoRoomForReply} // step 5, R4.5; no id, no LASTSENT (R3.69)
	}
	m.From = k.id
	if !isCarried(k, m) {
		m.Extra = 0
	}
	if first && m.ID.Network == 0 {
		m.ID = b.localID()
	}
	k.lastSent = m.ID
	out := b.deliver(k, m, number, aside)
	k.pending = nil
	switch out.Err {
	case message.OK:
		out.ID = m.ID
	case message.ErrPending:
		if c := b.fits(bill{{uid: k.uid, bytes: cost(m) + 64}}, k.uid); first && c != message.OK {
			return Outcome{Err: c} // the sender pays for what waits
		}
		out.ID = m.ID
		k.pending, k.number, k.aside = &m, number, aside
	}
	return out
}

// Poll drives the pending message, if there is one (R3.92: neither the check for ErrNoRoomForReply nor a new id,
// R3.93), and says afterwards (F10) whether there is something to read (F5) and whether the Ksock is still sending.
func (b *Bus) Poll(k *Ksock) (readable, sending bool) {
	if k.pending != nil {
		m := *k.pending
		out := b.deliver(k, m, k.number, k.aside)
		if out.Err != message.ErrPending {
			k.pending = nil
		}
		switch { // F14: only a Request gets a Status
		case !m.IsRequest() || out.Err == message.OK || out.Err == message.ErrPending:
		case out.Err == message.ErrNoReplier || out.Err == message.ErrAddresseeGone: // EADDRNOTAVAIL
			b.ownStatus(message.NameDisappeared, k, m.ID)
		default:
			b.ownStatus(message.NameErrorSending, k, m.ID)
		}
	}
	return b.readable(k), k.pending != nil
}

// WouldPend says whether a Poll now would leave the pending message pending. It changes nothing.
func (b *Bus) WouldPend(k *Ksock) bool {
	_, c := b.plan(k, copied{Message: *k.pending, number: k.number}, k.aside)
	return c == message.ErrPending
}

// Sending says whether a message is pending.
func (k *Ksock) Sending() bool { return k.pending != nil }

// Discard drops the pending message (R3.71).
func (b *Bus) Discard(k *Ksock) { k.pending = nil }

// Stop refuses all new Requests from now on: ErrStopping. Those that are held fail.
func (b *Bus) Stop() {
	b.stopping = true
	failHeld(b, func(string) bool { return true }, "the bus is stopping")
}
