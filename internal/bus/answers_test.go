package bus

import (
	"testing"

	"kbus.example/kbus/message"
)

// An answer is found at once in a queue of any length, also the first time that one is asked for, and also when many are
// for one id, which a client may choose.
func TestAnswersAreFoundAtOnce(t *testing.T) {
	const n, most = 10_000, 2*mostUnindexed + 100
	id := func(i int) message.ID { return message.ID{Network: 9, Serial: uint32(i)} }
	for name, c := range map[string]struct {
		before, behind int // answers, with other messages in between
		ids            int
		front          int // other messages in front of all, so that a look at the first entries does not find the answer
	}{
		"one early":              {1, 0, 1, 0},
		"one late":               {0, 1, 1, 0},
		"some on both sides":     {10, 10, 20, 0},
		"all of them one":        {10, 10, 1, 0},
		"many late":              {0, n, n, 0},
		"many that are the same": {10, n, 3, 0},
		"and far from the front": {10, n, 3, 2 * glance},
	} {
		t.Run(name, func(t *testing.T) {
			cr := newCrowded(t)
			answers := 0
			answer := func(count int) {
				for range count {
					h := message.Header{ID: message.ID{Serial: uint32(answers + 1)}, InReplyTo: id(answers % c.ids), Flags: message.Flags(answers%2) * message.Urgent}
					cr.b.push(cr.k, cr.b.make(&h, "$.Answer", nil), nil)
					answers++
				}
			}
			answer(c.before)
			for range n {
				cr.send(cr.s, "$.B", 0)
			}
			for range n {
				cr.send(cr.s, "$.B", message.Urgent)
			}
			answer(c.behind)
			for range c.front {
				cr.send(cr.s, "$.B", message.Urgent)
			}
			got := map[message.ID]bool{}
			for i := range answers {
				before := cr.steps()
				cr.b.worked = 0
				at := cr.k.queue.reply(id(i % c.ids))
				if did := cr.steps() - before; at < 0 || did > most {
					t.Fatalf("answer %d at %d, found in %d steps", i, at, did)
				}
				// the frontmost of that id it is, and once
				e := *cr.k.queue.at(at)
				for before := range min(at, 200) {
					if o := cr.k.queue.at(before); o.msg != nil && o.answers() && o.msg.head.InReplyTo == e.msg.head.InReplyTo {
						t.Fatalf("answer %d is not the first to its Request", i)
					}
				}
				if got[e.msg.head.ID] {
					t.Fatalf("answer %d twice", i)
				}
				got[e.msg.head.ID] = true
				d := cr.b.handOver(cr.k, at)
				cr.b.Release(&d)
			}
			if cr.k.queue.reply(id(0)) >= 0 || len(cr.k.queue.index) != 0 {
				t.Error("there is one more")
			}
			if cr.b.Close(cr.k); cr.k.open {
				t.Error("still open")
			}
		})
	}
}

// A list of very many open Requests has its index before it gets long.
func TestLedgerIndexIsMadeInTime(t *testing.T) {
	var l ledger[int]
	for i := range 100_000 {
		l.add(i)
	}
	before := l.steps
	if l.has(70_000, false); l.steps-before > glance || l.steps > 2*mostUnindexed {
		t.Errorf("%d steps before, %d to find one", before, l.steps-before)
	}
}

// What is overlooked is not looked at.
func TestOverlook(t *testing.T) {
	c := newCrowded(t)
	for range 3000 {
		c.send(c.s, "$.B", 0)
		c.send(c.s, "$.B", message.Urgent)
	}
	c.b.Overlook(c.k)
	c.send(c.s, "$.B", 0)
	c.send(c.s, "$.B", message.Urgent)
	before := c.steps()
	if c.b.NextAnswer(c.k, func(message.ID) bool { return true }); c.steps()-before != 2 {
		t.Errorf("%d messages are looked at", c.steps()-before)
	}
}
