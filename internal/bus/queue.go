package bus

import (
	"sort"

	"kbus.example/kbus/message"
)

// entry is one recipient's copy of a message: the shared bytes, and what is this copy's own. Its number tells where it
// stands among the others of its queue, and stays; numbers grow from the front to the back.
type entry struct {
	msg    *stored  // nil: a hole, whose message has been taken
	via    *binding // the binding that it came through; nil for Replies, Statuses and initial reports
	number int64    // twice that, and 1 when NextAnswer has looked at it
	missed uint32   // messages missed just before it; see missed.go
}

// mustReply says that this copy has WANT_YOU_TO_REPLY (R4.23).
func (e *entry) mustReply() bool { return e.via != nil && e.via.replier }

func (e *entry) answers() bool { return e.via == nil && e.msg.head.IsReply() }

// queue is a Ksock's messages, front to back. The first and the last are no holes; when there are too many of them in
// between, all close up.
type queue struct {
	entries     deque[entry]
	holes       int
	front, back int64    // the numbers of the next entries there
	toLook      [2]int64 // NextAnswer has not looked at entries from the first to before the second,
	lookFrom    int64    // nor from this one on
	answerIndex
	keptBytes int    // of messages that lie with the Keeper,
	keptFrom  int64  // counted from this entry on
	purging   *purge // under way; nil: none
	steps     int    // entries looked at in search of others, or moved, ever
}

func (q *queue) len() int { return q.entries.len() - q.holes }

// at gives an entry, or a hole.
func (q *queue) at(i int) *entry { return q.entries.at(i) }

// indexOf finds an entry by its number, or where it would be.
func (q *queue) indexOf(number int64) int {
	return sort.Search(q.entries.len(), func(i int) bool { return q.at(i).number>>1 >= number })
}

// nth is the place of the entry that has n before it, or -1.
func (q *queue) nth(n int) int {
	if n >= q.len() {
		return -1
	}
	if q.holes == 0 {
		return n
	}
	for i := 0; ; i++ {
		if q.at(i).msg != nil {
			if n == 0 {
				return i
			}
			n--
		}
	}
}

func (q *queue) push(e entry, atFront bool) {
	if atFront {
		q.front--
		e.number = q.front << 1
		if p := q.purging; p != nil {
			p.kept.pushFront(e)
			q.holes--
		} else {
			q.entries.pushFront(e)
		}
		if q.toLook[0] == q.toLook[1] {
			q.toLook[1] = q.front + 1
		}
		q.toLook[0] = q.front
	} else {
		e.number = q.back << 1
		q.back++
		q.entries.pushBack(e)
	}
	if e.via != nil {
		e.via.queued++
	} else if q.index == nil && e.answers() {
		q.answerCame(e.number >> 1)
	}
	if e.msg.wasKept || q.index != nil {
		q.pushed(e)
	}
}

// pushed notes what more there is to note of a new entry.
func (q *queue) pushed(e entry) {
	if m := e.msg; m.wasKept && e.number>>1 >= q.keptFrom {
		q.keptBytes += len(m.data())
	}
	if q.index != nil && e.answers() {
		q.enter(&e)
	}
}

// remove takes the entry at a place out.
func (q *queue) remove(i int) entry {
	if i > 0 || q.holes > 0 {
		e := q.cut(i)
		q.tidy()
		return e
	}
	e := q.entries.popFront()
	q.taken(&e)
	return e
}

// cut leaves a hole in place of an entry; tidy must follow.
func (q *queue) cut(i int) entry {
	e := *q.at(i)
	q.at(i).msg, q.at(i).via = nil, nil
	q.holes++
	q.taken(&e)
	return e
}

// taken notes that an entry is no longer there.
func (q *queue) taken(e *entry) {
	if e.via != nil {
		e.via.queued--
	}
	if q.keptBytes > 0 || q.index != nil { // mostly the message is not looked at
		q.removed(e)
	}
}

func (q *queue) removed(e *entry) {
	if q.keptBytes > 0 && e.msg.wasKept && e.number>>1 >= q.keptFrom {
		q.keptBytes -= len(e.msg.data())
	}
	if q.index != nil && e.answers() {
		q.leave(e)
		if q.len() == 0 {
			q.index = nil
		}
	}
}

// tidy restores what is promised about holes.
func (q *queue) tidy() {
	for q.holes > 0 && q.at(0).msg == nil {
		q.entries.popFront()
		q.holes--
	}
	for q.holes > 0 && q.at(q.entries.len()-1).msg == nil {
		q.entries.popBack()
		q.holes--
	}
	if q.holes > glance && q.holes > q.len()/8 {
		q.closeUp(0, q.entries.len())
	}
}

// closeUp moves what is no hole, of the entries from one place to before another, together: towards the middle of the
// queue, where the others are.
func (q *queue) closeUp(from, to int) {
	all := q.entries.len()
	q.steps += to - from
	if from == 0 && to < all {
		n := to
		for i := to - 1; i >= 0; i-- {
			if q.at(i).msg != nil {
				n--
				*q.at(n) = *q.at(i)
			}
		}
		for range n {
			q.entries.popFront()
		}
		q.holes -= n
		return
	}
	n := from
	for i := from; i < to; i++ {
		if q.at(i).msg != nil {
			*q.at(n) = *q.at(i)
			n++
		}
	}
	q.entries.truncate(n)
	q.holes -= to - n
}

// purge takes out all that came through a binding, in one go through the whole queue, and gives it, in no order and with
// holes. What stays changes places with what goes, so that nothing is copied elsewhere, and carries what went before it of
// missed messages; missed is what has nothing behind it.
func (q *queue) purge(via *binding) (gone deque[entry], missed uint32) {
	n, all := 0, q.entries.len()
	q.steps += all
	for i := 0; i < all; {
		run := q.entries.run(i)
		i += len(run)
		for j := range run {
			e := &run[j]
			if e.via == via {
				q.taken(e)
				missed, e.missed = plus(missed, e.missed), 0
			} else if e.msg != nil {
				if missed > 0 {
					e.missed, missed = plus(e.missed, missed), 0
				}
				if to := q.at(n); to != e {
					*to, *e = *e, *to
				}
				n++
			}
		}
	}
	q.holes = 0
	return q.entries.split(n), missed
}

// look finds the first Reply or Status that is wanted, of those not looked at, or gives -1.
func (q *queue) look(wanted func(request message.ID) bool) int {
	for q.toLook[0] < q.toLook[1] {
		i := q.indexOf(q.toLook[0])
		for ; i < q.entries.len() && q.at(i).number>>1 < q.toLook[1]; i++ {
			if q.lookAt(i, wanted) {
				q.toLook[0] = q.at(i).number>>1 + 1
				return i
			}
		}
		q.toLook = [2]int64{}
	}
	if q.lookFrom >= q.back {
		return -1
	}
	n := q.entries.len()
	i := max(0, n-int(q.back-q.lookFrom))
	if i < n && q.at(i).number>>1 < q.lookFrom {
		i = q.indexOf(q.lookFrom)
	}
	for ; i < n; i++ {
		if q.lookAt(i, wanted) {
			q.lookFrom = q.at(i).number>>1 + 1
			return i
		}
	}
	q.lookFrom = q.back
	return -1
}

func (q *queue) lookAt(i int, wanted func(request message.ID) bool) bool {
	e := q.at(i)
	q.steps++
	if e.msg == nil || e.number&1 != 0 {
		return false
	}
	e.number |= 1
	return e.answers() && wanted(e.msg.head.InReplyTo)
}

// push queues a copy and notes that the Ksock has something to read (R4.21, R4.28). It does not look for room: the
// sender has done so, and Statuses need none (R4.8).
func (b *Bus) push(k *Ksock, m *stored, via *binding) {
	urgent := m.head.Flags.Has(message.Urgent)
	if urgent || k.asideCount > 0 { // events that what has been taken brings in come before
		b.SyncWindow(k)
	}
	if urgent {
		b.reclaim(k)
	}
	b.enqueue(k, m, via, urgent)
}

func (b *Bus) enqueue(k *Ksock, m *stored, via *binding, urgent bool) {
	m.refs++
	b.hold(m, k.account)
	e := entry{msg: m, via: via}
	if !urgent {
		e.missed, k.missed.since = k.missed.since, 0
	}
	k.queue.push(e, urgent)
	k.lastPushed = m.head.ID
	b.wakes.reader(k)
}

// pushToListener is push through a listener binding, where only-once may find that the Ksock has just had this message
// (R4.24). It reports whether a copy was queued.
func (b *Bus) pushToListener(via *binding, m *stored) bool {
	if via.ksock.hadJust(m) {
		return false
	}
	b.push(via.ksock, m, via)
	return true
}

func (k *Ksock) hadJust(m *stored) bool { return k.onlyOnce && k.lastPushed == m.head.ID }

// take removes the entry at a place of the queue. The caller owns its reference to the message, which no user is
// charged for any more, and has to pass on the count of missed messages that the entry carries.
func (b *Bus) take(k *Ksock, i int) entry {
	e := k.queue.remove(i)
	b.letGo(e.msg, k.account)
	b.wakes.room(k)
	return e
}
