package bus

import "math"

// What a Listener misses because its queue is full is counted, and the count has its place: the next message that comes
// to the back of the queue carries how many were missed just before it (R4.18, F46). When that message leaves the queue
// other than by its turn, the count passes to the one behind it, which is then the first after the gap.

type missed struct {
	total    uint64
	since    uint32 // since a message was last queued at the back
	reported uint32 // with the message taken last
	got      uint64 // the message that it got, or has been noted to miss, last; as b.decided counts them
}

// miss counts the message under way as missed for each Ksock that does not get it: once, however many of its bindings
// match, and not if it gets a copy in another way.
func (s *sending) miss() {
	p := &s.plan
	for _, k := range p.missers {
		if m := &k.missed; m.got != s.decided && k != p.addressee && (p.replier == nil || k != p.replier.ksock) {
			m.got = s.decided
			m.total++
			m.since = plus(m.since, 1)
		}
	}
	clear(p.missers)
	p.missers = p.missers[:0]
}

func plus(n, more uint32) uint32 { return n + min(more, math.MaxUint32-n) }

// passOn gives what the entry at place i of the queue, about to leave out of its turn, carries to whatever comes behind it.
func (k *Ksock) passOn(i int) {
	q, n := &k.queue, k.queue.at(i).missed
	if n == 0 {
		return
	}
	q.at(i).missed = 0
	for i++; i < q.entries.len(); i++ {
		if behind := q.at(i); behind.msg != nil {
			behind.missed = plus(behind.missed, n)
			return
		}
	}
	k.missed.since = plus(k.missed.since, n)
}

// Missed tells how many messages k missed just before the one it has taken last, and how many in all.
func (b *Bus) Missed(k *Ksock) (before uint32, total uint64) {
	b.SyncWindow(k)
	return k.missed.reported, k.missed.total
}
