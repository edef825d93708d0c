package federation

import (
	"cmp"
	"slices"

	"kbus"
	"kbus/limpet/federation/envelope"
)

// Every announcement of a bowl has its number. So who hears them all sees what is missing, and says so on its own bus:
// nothing is lost in silence. A bowl that falls silent tells its count once, so that the end of a row cannot be lost
// unseen. A bowl that shares only some names cannot tell a loss from what it did not want, and does not count.

// lostName is the Announcement that tells of a loss.
const lostName = "$.KBUS.Federation.Lost"

type loss struct {
	epoch uint64
	next  uint64 // the number that is due
	lost  uint64
	told  uint64 // of these
}

type losses struct{ of map[uint32]*loss }

// lossNews is its data.
type lossNews struct {
	Bowl  uint32 `json:"bowl"`
	Lost  uint64 `json:"lost"`  // since it was last told
	Total uint64 `json:"total"` // since we have joined
}

// counted notes that a bowl has got so far: all numbers below this one have been announced.
func (s *session) counted(e *envelope.Envelope, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.losses.of == nil {
		s.losses.of = map[uint32]*loss{}
	}
	l := s.losses.of[e.Bowl]
	switch {
	case l == nil:
		l = &loss{epoch: e.Epoch, next: number} // what came before we listened is no loss
		s.losses.of[e.Bowl] = l
	case l.epoch < e.Epoch:
		l.epoch, l.next = e.Epoch, 1
	case l.epoch > e.Epoch:
		return
	}
	if number < l.next {
		return
	}
	if s.hearsAll() {
		l.lost += number - l.next
	}
	l.next = number
	if e.Kind == envelope.Heard {
		l.next++
	}
}

// missed counts an announcement that has come and was not delivered.
func (s *session) missed(bowl uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.losses.of[bowl]; l != nil {
		l.lost++
	}
}

// hearsAll tells whether we hear all that others announce.
func (s *session) hearsAll() bool { return slices.Contains(s.Names, "$.*") }

// tellLosses says on our bus what was lost since the last time.
func (s *session) tellLosses() error {
	var news []lossNews
	s.mu.Lock()
	for bowl, l := range s.losses.of {
		if l.lost > l.told {
			news = append(news, lossNews{bowl, l.lost - l.told, l.lost})
			l.told = l.lost
		}
	}
	s.mu.Unlock()
	slices.SortFunc(news, func(a, b lossNews) int { return cmp.Compare(a.Bowl, b.Bowl) })
	for _, n := range news {
		s.Log.Warn("announcements were lost on the way", "from", n.Bowl, "lost", n.Lost, "total", n.Total)
		if _, err := s.ksock.Send(s.ctx, kbus.Announcement(lostName, marshal(n))); err != nil {
			return s.undelivered(n.Bowl, err)
		}
	}
	return nil
}

// tellCount tells the others how much we have announced, once, when we have fallen silent.
func (s *session) tellCount() {
	o := &s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.quiet {
		o.quiet = true
		return
	}
	if o.told == o.count {
		return
	}
	e := envelope.Envelope{Kind: envelope.Count, Bowl: s.ID, Epoch: s.self.Epoch, Count: o.count}
	e.Name = lostName
	if o.publish(s.nc, s.space.Count(s.ID), &e) == nil {
		o.told = o.count
	}
}
