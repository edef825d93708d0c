package model

import "kbus.example/kbus/message"

// What a Ksock misses because its queue is full (F46).

// miss counts the message under way as missed by k, unless it is counted already or k gets it in another way.
func (b *Bus) miss(k *Ksock, d delivery) {
	for _, x := range d.listeners {
		if x.ksock == k {
			return
		}
	}
	if k != d.addressee && (d.replier == nil || d.replier.ksock != k) && k.lastMissed != b.missed {
		k.lastMissed = b.missed
		k.missedTotal++
		k.missed++
	}
}

// passOn moves the count of the message at i of the queue, which leaves out of its turn, to what is behind it.
func passOn(k *Ksock, i int) {
	if i+1 < len(k.queue) {
		k.queue[i+1].Missed += k.queue[i].Missed
	} else {
		k.missed += k.queue[i].Missed
	}
}

// Missed says how many messages k missed just before the one it took last, and in all.
func (b *Bus) Missed(k *Ksock) (before uint32, total uint64) { return k.notified, k.missedTotal }

// GiveUp drops the answer to a Request, now or when it comes; a Request that waits for room is discarded (F44). It reports
// whether there is anything to give up.
func (b *Bus) GiveUp(k *Ksock, request message.ID) bool {
	if k.pending != nil && k.pending.IsRequest() && k.pending.ID == request {
		b.Discard(k)
		return true
	}
	for i, m := range k.queue {
		if m.via == nil && m.IsReply() && m.InReplyTo == request {
			passOn(k, i)
			k.queue = withoutAt(k.queue, i)
			b.moveAside(k)
			return true
		}
	}
	if contains(k.outstanding, request) {
		k.outstanding = without(k.outstanding, request)
		k.givenUp = append(k.givenUp, request)
		return true
	}
	return false
}
