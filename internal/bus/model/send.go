package model

import "kbus/message"

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
	return b.send(k, m, true, false)
}

// SendToListeners sends to Listeners only, whatever the message is, and addresses nobody (B24).
func (b *Bus) SendToListeners(k *Ksock, m message.Message) Outcome {
	m.Flags &^= message.Synthetic
	m.To = 0
	return b.send(k, m, true, true)
}

// Resend is SEND while a message is pending: the same with the same id (R3.68). ErrNothingToSend if none is.
func (b *Bus) Resend(k *Ksock) Outcome {
	if k.pending == nil {
		return Outcome{Err: message.ErrNothingToSend}
	}
	return b.send(k, *k.pending, false, k.aside)
}

// send runs steps 5 to 9 of R3.65. All that does not end in ErrPending ends the sending state (R3.66).
func (b *Bus) send(k *Ksock, m message.Message, first, aside bool) Outcome {
	k.pending, k.aside = nil, aside
	if m.IsRequest() && !aside && !k.room() {
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
	out := b.deliver(k, m, aside)
	switch out.Err {
	case message.OK:
		out.ID = m.ID
	case message.ErrPending:
		out.ID = m.ID
		k.pending = &m
	}
	return out
}

// Poll drives the pending message, if there is one (R3.92: neither the check for ErrNoRoomForReply nor a new id,
// R3.93), and says afterwards (F10) whether there is something to read (F5) and whether the Ksock is still sending.
func (b *Bus) Poll(k *Ksock) (readable, sending bool) {
	if k.pending != nil {
		m := *k.pending
		out := b.deliver(k, m, k.aside)
		if out.Err != message.ErrPending {
			k.pending = nil
		}
		switch { // F14: only a Request gets a Status
		case !m.IsRequest() || out.Err == message.OK || out.Err == message.ErrPending:
		case out.Err == message.ErrNoReplier || out.Err == message.ErrAddresseeGone: // EADDRNOTAVAIL
			b.status(message.NameDisappeared, 0, request{m.ID, k.id})
		default:
			b.status(message.NameErrorSending, 0, request{m.ID, k.id})
		}
	}
	return b.readable(k), k.pending != nil
}

// WouldPend says whether a Poll now would leave the pending message pending. It changes nothing.
func (b *Bus) WouldPend(k *Ksock) bool {
	_, c := b.plan(k, *k.pending, k.aside)
	return c == message.ErrPending
}

// Sending says whether a message is pending.
func (k *Ksock) Sending() bool { return k.pending != nil }

// Discard drops the pending message (R3.71).
func (b *Bus) Discard(k *Ksock) { k.pending = nil }

// Stop refuses all new Requests from now on: ErrStopping.
func (b *Bus) Stop() { b.stopping = true }
