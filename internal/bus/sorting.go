package bus

import (
	"sort"

	"kbus.example/kbus/message"
)

// sorting finds out which closed Ksocks still matter (see peer.go). It looks at a few entries of queues at a time, with
// other operations in between, and misses nothing: a Ksock that has closed sends no more, so whatever it has sent is
// where it was when the sorting began, or has been taken out of the queue by the same receiver; and a Ksock that closes
// meanwhile is kept in any case. So of each receiver its queue is looked at first, without what comes meanwhile, then
// what it has read.
type sorting struct {
	b      *Bus
	matter map[message.KsockID]Owner // so far
	recent int                       // of the last that closed, how many have been looked at
	walk   *Walk
	of     *Ksock // whose queue is being looked at
	next   int64  // the number of the next entry there,
	end    int64  // and of the first that has come meanwhile
	looked int    // entries, ever
	owed   int    // of the Requests that it has read, those not yet looked at are before this one
}

// sortPiece is how many entries are looked at with each Ksock that closes, and sortedPerStep how many of them are a step
// of work.
const (
	sortPiece     = 512
	sortedPerStep = 8
)

func (b *Bus) beginSorting() *sorting {
	s := &sorting{b: b, matter: make(map[message.KsockID]Owner, mostDeparted), walk: b.Walk()}
	for _, d := range b.debts { // their Statuses are still to come
		s.keep(d.from)
	}
	for _, r := range b.startable.waiting { // they may go to a queue meanwhile
		for _, h := range r.held {
			s.keep(h.msg.head.From)
		}
	}
	return s
}

func (s *sorting) keep(id message.KsockID) {
	s.looked++
	if o, ok := s.b.departed.owners[id]; ok {
		s.matter[id] = o
	}
}

// goOn makes so many steps, and reports whether all is done.
func (s *sorting) goOn(steps int) (done bool) {
	s.b.Work(steps / sortedPerStep)
	for ; steps > 0 && s.recent < recentlyClosed; s.recent++ {
		s.keep(s.b.departed.recent[s.recent])
		steps--
	}
	for steps > 0 {
		k := s.walk.at
		if k == nil {
			s.walk.End()
			return true
		}
		if s.of != k {
			q := &k.queue
			s.of, s.next, s.end, s.owed = k, q.front, q.back, -1
		}
		steps--
		if steps = s.look(k, steps); steps > 0 {
			s.keep(k.lastFrom)
			s.walk.at = k.older
		}
	}
	return false
}

// look looks at what k has queued and read, and gives how many steps are left over; none unless it has seen all.
func (s *sorting) look(k *Ksock, steps int) (left int) {
	if p := k.queue.purging; p != nil {
		steps = s.lookThrough(&p.kept, steps)
	}
	if steps = s.lookThrough(&k.queue.entries, steps); steps <= 0 {
		return 0
	}
	l := &k.unreplied.list
	if s.owed < 0 {
		s.owed = l.len()
	}
	s.owed = min(s.owed, l.len()) // those at the front may have gone, or all have closed up towards it
	for ; steps > 0 && s.owed > 0; steps-- {
		s.owed--
		if o := l.at(s.owed); !o.hole {
			s.keep(o.key.requester)
		}
	}
	return steps
}

// lookThrough looks at entries from the next number on.
func (s *sorting) lookThrough(d *deque[entry], steps int) (left int) {
	i := sort.Search(d.len(), func(i int) bool { return d.at(i).number>>1 >= s.next })
	for ; steps > 0 && i < d.len(); i++ {
		e := d.at(i)
		if s.next = e.number>>1 + 1; s.next > s.end {
			break
		}
		if e.msg != nil {
			s.keep(e.msg.head.From)
		}
		steps--
	}
	return steps
}
