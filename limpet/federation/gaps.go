package federation

import (
	"cmp"
	"slices"
	"sync"

	"kbus.example/kbus/limpet/federation/envelope"
)

// gaps finds out what has been lost between members. Every announcement of a member has its number, so a receiver of all
// of them sees which are missing; nothing is lost in silence. A member that shares only some names cannot tell a loss from
// what it did not subscribe to, and does not count.
type gaps struct {
	all bool // we receive all that others announce

	mu sync.Mutex // guards what follows
	of map[uint32]*gap
}

// gap is how far one member has got.
type gap struct {
	epoch    uint64
	next     uint64 // the number that is due
	lost     uint64
	reported uint64 // of these

	known   bool // in the directory
	strange int  // how often it was not
}

func newGaps(all bool) *gaps { return &gaps{all: all, of: map[uint32]*gap{}} }

// lossNews is the data of the Announcement that reports a loss.
type lossNews struct {
	Member uint32 `json:"bowl"`
	Lost   uint64 `json:"lost"`  // since the last report
	Total  uint64 `json:"total"` // since we have joined
}

// Counted notes that a member has got so far: all numbers below this one have been announced.
func (g *gaps) Counted(e *envelope.Envelope, number uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.of[e.Member]
	switch {
	case l == nil:
		l = &gap{epoch: e.Epoch, next: number} // what came before we subscribed is no loss
		g.of[e.Member] = l
	case l.epoch < e.Epoch:
		l.epoch, l.next = e.Epoch, 1
	case l.epoch > e.Epoch:
		return
	}
	if number < l.next {
		return
	}
	if g.all {
		l.lost += number - l.next
	}
	l.next = number
	if e.Kind == envelope.Broadcast {
		l.next++
	}
}

// Missed counts an announcement that has come and was not delivered.
func (g *gaps) Missed(member uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.of[member]; l != nil {
		l.lost++
	}
}

// news is what was lost since the last call, by member.
func (g *gaps) news() (news []lossNews) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for member, l := range g.of {
		if l.lost > l.reported {
			news = append(news, lossNews{member, l.lost - l.reported, l.lost})
			l.reported = l.lost
		}
	}
	slices.SortFunc(news, func(a, b lossNews) int { return cmp.Compare(a.Member, b.Member) })
	return news
}

// strangers are members that we receive from and that are not in our directory, twice in a row: they must have another
// one. A leaf node can have a JetStream of its own beside that of its hub, and then a name could have two Repliers. Each
// is returned once.
func (g *gaps) strangers(known func(member uint32) bool) (strangers []uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for member, l := range g.of {
		if l.known {
			continue
		}
		if l.known = known(member); l.known {
			continue
		}
		if l.strange++; l.strange == 2 {
			strangers = append(strangers, member)
		}
	}
	return strangers
}

// seen is how many messages a member has announced and how many of them were lost, as far as we know.
func (g *gaps) seen(member uint32) (announced, lost uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.of[member]; l != nil {
		return l.next - 1, l.lost
	}
	return 0, 0
}
