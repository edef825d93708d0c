package model

import "kbus.example/kbus/message"

// Reading: what NEXTMSG takes from the queue.

// Next pops the front of the queue (R3.35). With nothing there it moves set-aside events until one is in the queue, or
// none is left (F5).
func (b *Bus) Next(k *Ksock) (m message.Message, ok bool) {
	for len(k.queue) == 0 && b.numAside(k) > 0 {
		b.moveAside(k)
	}
	if len(k.queue) == 0 {
		return m, false
	}
	return b.pop(k, 0), true
}

// NextReply pops the answer to a Request of k's, wherever it stands, and nothing else: the copy that k got as the
// requester (R4.48, R5.2), not one that it got as Listener or Replier. In the rest it is as Next.
func (b *Bus) NextReply(k *Ksock, request message.ID) (m message.Message, ok bool) {
	for i, m := range k.queue {
		if m.via == nil && m.IsReply() && m.InReplyTo == request {
			return b.pop(k, i), true
		}
	}
	return m, false
}

// NextAnswer is NextReply to any Request that is wanted, but a message that has been looked at is passed over until an
// urgent one comes in.
func (b *Bus) NextAnswer(k *Ksock, wanted func(request message.ID) bool) (m message.Message, ok bool) {
	for i := range k.queue {
		m := &k.queue[i]
		if !m.looked && m.via == nil && m.IsReply() && wanted(m.InReplyTo) {
			return b.pop(k, i), true
		}
		m.looked = true
	}
	return m, false
}

// Overlook is NextAnswer that wants nothing.
func Overlook(k *Ksock) {
	for i := range k.queue {
		k.queue[i].looked = true
	}
}

// pop takes the message at i from the queue. The reader of a Request owes the Reply from now on (R3.36), and the
// oldest of its set-aside events moves up (R3.37).
func (b *Bus) pop(k *Ksock, i int) message.Message {
	if i > 0 {
		passOn(k, i)
		k.queue[i].Missed = 0
	}
	m := k.queue[i]
	k.notified = m.Missed
	k.queue = withoutAt(k.queue, i)
	if m.Flags.Has(message.WantYouToReply) {
		k.unreplied = append([]request{{m.ID, m.From}}, k.unreplied...)
		k.unrepliedMost = max(k.unrepliedMost, len(k.unreplied))
	}
	b.moveAside(k)
	return m.Message
}

// readable says whether Next would be worth a try (R3.90, F5). Only-once may still swallow what was set aside.
func (b *Bus) readable(k *Ksock) bool { return b.NumMessages(k) > 0 }

// NumMessages is NUMMSGS (R3.75).
func (b *Bus) NumMessages(k *Ksock) uint32 { return uint32(len(k.queue) + b.numAside(k)) }

// NumUnreplied is UNREPLIEDTO (R3.76).
func (b *Bus) NumUnreplied(k *Ksock) uint32 { return uint32(len(k.unreplied)) }

// LastSent is LASTSENT (R3.72).
func (b *Bus) LastSent(k *Ksock) message.ID { return k.lastSent }
