package model

import "kbus.example/kbus/message"

// Users pay for the messages that their queues hold (F43). Nothing is kept up to date here: what a user is charged is
// counted anew from all that its Ksocks hold, each time it is needed.

// charged is what a user is charged, in bytes: each message that a queue of its holds once, and 64 for each copy. What
// waits for room and what is set aside counts as queued; a Request that waits for its Reply, or that is to be replied to,
// as a copy.
func (b *Bus) charged(uid uint32) (bytes int) {
	var counted []int
	for _, h := range b.held {
		if h.uid == uid {
			bytes += 64
			if !contains(counted, h.number) {
				counted = append(counted, h.number)
				bytes += cost(h.Message)
			}
		}
	}
	for _, x := range b.bindings {
		if x.ksock.uid == uid {
			bytes += cardCost(x.card)
		}
	}
	for _, k := range b.ksocks {
		if k.uid != uid {
			continue
		}
		bytes += 64 * (len(k.outstanding) + len(k.givenUp) + len(k.unreplied))
		for _, m := range b.holds(k) {
			bytes += 64
			if !contains(counted, m.number) {
				counted = append(counted, m.number)
				bytes += cost(m.Message)
			}
		}
	}
	return bytes
}

func cost(m message.Message) int {
	n := 128 + len(m.Name) + len(m.Data)
	if m.Trace != nil {
		n += 4 + len(m.Trace.Parent) + len(m.Trace.State)
	}
	return n
}

// holds is all copies that a Ksock holds.
func (b *Bus) holds(k *Ksock) []copied {
	all := clone(k.queue)
	for _, m := range b.aside {
		if m.to == k {
			all = append(all, m)
		}
	}
	if k.pending != nil {
		all = append(all, copied{Message: *k.pending, number: k.number})
	}
	return all
}

// QueueBytes is what all users are charged.
func (b *Bus) QueueBytes() (bytes int) {
	var counted []uint32
	for _, k := range b.ksocks {
		if !contains(counted, k.uid) {
			counted = append(counted, k.uid)
			bytes += b.charged(k.uid)
		}
	}
	for _, h := range b.held {
		if !contains(counted, h.uid) { // all its Ksocks have closed
			counted = append(counted, h.uid)
			bytes += b.charged(h.uid)
		}
	}
	return bytes
}

// bill is what is going to be charged, in the order in which it was decided.
type bill []item

type item struct {
	uid     uint32
	bytes   int
	message bool // it holds a copy, and more than the open Request
}

func (l bill) of(uid uint32) (bytes int) {
	for _, i := range l {
		if i.uid == uid {
			bytes += i.bytes
		}
	}
	return bytes
}

func (l bill) total() (bytes int) {
	for _, i := range l {
		bytes += i.bytes
	}
	return bytes
}

// copy is what a copy for that user would cost.
func (b *Bus) copy(l bill, uid uint32, m copied) item {
	for _, i := range l {
		if i.uid == uid && i.message {
			return item{uid, 64, true}
		}
	}
	for _, h := range b.starting.held {
		if h.uid == uid && h.number == m.number {
			return item{uid, 64, true}
		}
	}
	for _, k := range b.ksocks {
		for _, h := range b.holds(k) {
			if k.uid == uid && h.number == m.number {
				return item{uid, 64, true}
			}
		}
	}
	return item{uid, cost(m.Message) + 64, true}
}

// fits says whether all that is on the bill can be charged to that user: at most its limit, and at most half of what the
// others leave of what there is for all.
func (b *Bus) fits(l bill, uid uint32) message.Condition {
	own := b.charged(uid) + l.of(uid)
	others := b.QueueBytes() + l.total() - own
	switch limit, all := b.config.UserQueueBytes, b.config.QueueBytes; {
	case limit != 0 && own > limit:
		return message.ErrUserQueueBytes
	case all != 0 && 2*own > all-others:
		return message.ErrBusQueueBytes
	}
	return message.OK
}

// canAsk says whether a Ksock has room for one more answer.
func (b *Bus) canAsk(k *Ksock) bool {
	return k.room() && b.fits(bill{{uid: k.uid, bytes: 64}}, k.uid) == message.OK
}

// admits says whether there is room for a copy, and puts it on the bill if so.
func (b *Bus) admits(l *bill, k *Ksock, m copied) bool {
	more := append(clone(*l), b.copy(*l, k.uid, m))
	if !k.room() || b.fits(more, k.uid) != message.OK {
		return false
	}
	*l = more
	return true
}
