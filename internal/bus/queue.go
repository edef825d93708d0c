package bus

import "kbus/message"

// entry is one recipient's copy of a message: the shared bytes, and what is this copy's own.
type entry struct {
	msg       *stored
	via       *binding // the binding that it came through; nil for Replies, Statuses and initial reports
	mustReply bool     // this copy has WANT_YOU_TO_REPLY (R4.23)
}

// queue is a Ksock's messages, front to back. unseen counts those at the back that NextAnswer has not looked at.
type queue struct {
	deque[entry]
	unseen int
}

// push queues a copy and notes that the Ksock has something to read (R4.21, R4.28). There is no test of room here: who
// sends has made it, and Statuses need none (R4.8).
func (b *Bus) push(k *Ksock, e entry) {
	urgent := e.msg.head.Flags.Has(message.Urgent)
	if urgent || k.asideCount > 0 { // events that what has been taken brings in come before
		b.Settle(k)
	}
	e.msg.refs++
	if urgent {
		b.reclaim(k)
		k.queue.pushFront(e)
		k.queue.unseen = k.queue.len()
	} else {
		k.queue.pushBack(e)
		k.queue.unseen++
	}
	k.lastPushed = e.msg.head.ID
	b.wakes.reader(k)
}

// pushToListener is push through a listener binding, where only-once may find that the Ksock has just had this message
// (R4.24). It reports whether a copy was queued.
func (b *Bus) pushToListener(via *binding, m *stored) bool {
	k := via.ksock
	if k.onlyOnce && k.lastPushed == m.head.ID {
		return false
	}
	b.push(k, entry{msg: m, via: via})
	return true
}

// take removes entry i of the queue. The caller owns its reference to the message.
func (b *Bus) take(k *Ksock, i int) entry {
	if i >= k.queue.len()-k.queue.unseen {
		k.queue.unseen--
	}
	e := k.queue.remove(i)
	b.wakes.room(k)
	return e
}
