package main

import (
	"fmt"
	"sync"
)

// What the actors said, and what follows from it. A *life* is one run of an actor, within one life of the bus, so ids mean
// something within both.

type life struct {
	door     string
	bus      int // which life of the bus
	killed   bool
	keeps    bool // its door has a Status for each open Request when the bus is gone
	asked    map[string]int
	heard    []uint32
	missed   int // in all,
	firstGap int // and of that before the first message heard
}

type books struct {
	sync.Mutex
	requests, answeredOnce, ordersEqual int
	heard, missed                       int
	violations                          []string

	said  map[uint32]bool   // ids of announcements of this life of the bus
	took  map[string]string // who has taken a Request
	lives []*life           // that have ended, of this life of the bus
}

func (b *books) violation(format string, args ...any) {
	b.violations = append(b.violations, fmt.Sprintf(format, args...))
}

// begin is for a new life of the bus: what the last one left is compared.
func (b *books) begin() {
	b.Lock()
	defer b.Unlock()
	for i, x := range b.lives {
		for _, y := range b.lives[:i] {
			b.compare(x, y)
		}
		b.complete(x)
	}
	b.lives, b.said, b.took = nil, map[uint32]bool{}, map[string]string{}
}

// compare looks whether two have heard what both heard in one order, and the same if neither has missed anything.
func (b *books) compare(x, y *life) {
	if len(x.heard) < 2 || len(y.heard) < 2 {
		return
	}
	from, to := max(x.heard[0], y.heard[0]), min(x.heard[len(x.heard)-1], y.heard[len(y.heard)-1])
	if from >= to {
		return
	}
	in := map[uint32]int{}
	for i, id := range y.heard {
		in[id] = i
	}
	last, common, only := -1, 0, 0
	for _, id := range x.heard {
		i, both := in[id]
		switch {
		case both && i <= last:
			b.violation("bus %d: %s and %s hear 0:%d in another order", x.bus, x.door, y.door, id)
			return
		case both:
			last = i
			common++
		case id >= from && id <= to:
			only++
		}
	}
	if only > y.missed {
		b.violation("bus %d: %s has not heard %d that %s has, and was told of %d", x.bus, y.door, only, x.door, y.missed)
		return
	}
	if common > 1 {
		b.ordersEqual++
	}
}

// complete looks whether what a life did not hear, between its first and its last, was counted as missed.
func (b *books) complete(l *life) {
	if len(l.heard) < 2 {
		return
	}
	heard := map[uint32]bool{}
	for _, id := range l.heard {
		heard[id] = true
	}
	lost := 0
	for id := range b.said {
		if id > l.heard[0] && id < l.heard[len(l.heard)-1] && !heard[id] {
			lost++
		}
	}
	if lost > l.missed-l.firstGap {
		b.violation("bus %d: %s has not heard %d announcements, and was told of %d", l.bus, l.door, lost, l.missed-l.firstGap)
	}
}

// end is for a life that has ended; done says that it had all its answers.
func (b *books) end(l *life, done bool) {
	b.Lock()
	defer b.Unlock()
	for id, ends := range l.asked {
		b.requests++
		switch {
		case ends == 1:
			b.answeredOnce++
		case ends > 1:
			b.violation("bus %d: %s got %d answers to %s", l.bus, l.door, ends, id)
		case l.killed: // nobody is there to be answered
			b.requests--
		case done || l.keeps:
			b.violation("bus %d: %s got no answer to %s", l.bus, l.door, id)
		default:
			b.requests--
		}
	}
	for i := 1; i < len(l.heard); i++ {
		if l.heard[i] <= l.heard[i-1] {
			b.violation("bus %d: %s hears 0:%d after 0:%d", l.bus, l.door, l.heard[i], l.heard[i-1])
			break
		}
	}
	b.lives = append(b.lives, l)
	b.heard += len(l.heard)
	b.missed += l.missed
}

// line takes note of what an actor says.
func (b *books) line(l *life, line string) (word string) {
	var id string
	var n int
	var serial uint32
	fmt.Sscan(line, &word, &id, &n)
	fmt.Sscanf(id, "0:%d", &serial)
	switch word {
	case "ask":
		if _, again := l.asked[id]; again {
			b.Lock()
			b.violation("bus %d: %s was given the id %s twice", l.bus, l.door, id)
			b.Unlock()
		}
		l.asked[id] = 0
	case "end":
		if _, asked := l.asked[id]; !asked {
			b.Lock()
			b.violation("bus %d: %s got an answer to %s, which it has not asked", l.bus, l.door, id)
			b.Unlock()
			break
		}
		l.asked[id]++
	case "say":
		b.Lock()
		b.said[serial] = true
		b.Unlock()
	case "missed":
		if len(l.heard) == 0 {
			l.firstGap += n
		}
		l.missed += n
	case "hear":
		l.heard = append(l.heard, serial)
	case "took":
		b.Lock()
		if by, taken := b.took[id]; taken {
			b.violation("bus %d: %s takes %s, which %s has taken", l.bus, l.door, id, by)
		}
		b.took[id] = l.door
		b.Unlock()
	}
	return word
}
