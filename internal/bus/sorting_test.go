package bus

import (
	"math/rand/v2"
	"testing"

	"kbus.example/kbus/message"
)

// Who comes and goes beside a long queue has the bus look at a few of its messages each time, and those Ksocks that have
// sent one of them are known all the while.
func TestSortingInPieces(t *testing.T) {
	const n, senders = 40_000, 50
	c := newCrowded(t)
	for range senders {
		k, _ := c.b.Open(Owner{UID: 3})
		for range n / senders {
			c.send(k, "$.A", 0)
		}
		c.b.Close(k)
	}
	rounds := 0
	for range 5 * mostDeparted {
		k, _ := c.b.Open(Owner{UID: 3})
		under, looked := c.b.departed.sorting, 0
		if under != nil {
			looked = under.looked
		}
		c.b.Close(k)
		if under == nil {
			if under = c.b.departed.sorting; under == nil {
				continue
			}
			rounds++
		}
		if did := under.looked - looked; did > sortPiece {
			t.Fatalf("%d entries looked at with one close", did)
		}
	}
	if rounds == 0 || len(c.b.departed.owners) > 2*mostDeparted {
		t.Errorf("%d rounds, %d closed Ksocks are known", rounds, len(c.b.departed.owners))
	}
	for id := range message.KsockID(senders) {
		if _, open, known := c.b.Peer(3 + id); open || !known {
			t.Fatalf("Ksock %d, which has sent %d of the messages, is not known", 3+id, n/senders)
		}
	}
	if _, _, known := c.b.Peer(senders + 10); known {
		t.Error("one that has sent nothing is known still")
	}
}

// Whatever happens meanwhile: whoever has sent a message that somebody has, owes an answer to or has just read is known.
func TestSortingAmongOthers(t *testing.T) {
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := newCrowded(t)
		c.b.InPieces(100)
		var read []Delivery
		for range 30_000 {
			k, _ := c.b.Open(Owner{UID: 3})
			for range r.IntN(3) {
				c.send(k, []string{"$.A", "$.B"}[r.IntN(2)], message.Flags(r.IntN(2))*message.Urgent)
			}
			if r.IntN(20) == 0 {
				c.send(k, "$.Q", message.WantAReply)
			}
			c.b.Close(k)
			switch r.IntN(400) {
			case 0:
				c.b.Unbind(c.k, "$.A", false)
				c.b.Bind(c.k, "$.A", false)
			case 1:
				for range 300 {
					if d, ok := c.b.Next(c.k); ok {
						read = append(read, d)
					}
				}
			case 2:
				for _, d := range read {
					if d.Flags.Has(message.WantYouToReply) && r.IntN(2) == 0 {
						c.b.Send(c.k, &message.Header{InReplyTo: d.ID, To: d.From}, d.Name, nil)
					}
					c.b.Release(&d)
				}
				read = nil
			case 3:
				checkKnown(c)
			default:
				c.b.PurgeOn(c.k, r.IntN(50))
			}
		}
		checkKnown(c)
	}
}

func checkKnown(c *crowded) {
	c.Helper()
	know := func(id message.KsockID, what string) {
		if _, _, known := c.b.Peer(id); !known && id != 0 {
			c.Fatalf("Ksock %d, %s, is not known", id, what)
		}
	}
	know(c.k.lastFrom, "whose message was read last")
	parts := []*deque[entry]{&c.k.queue.entries}
	if p := c.k.queue.purging; p != nil {
		parts = append(parts, &p.kept)
	}
	for _, d := range parts {
		for i := range d.len() {
			if e := d.at(i); e.msg != nil {
				know(e.msg.head.From, "whose message is queued")
			}
		}
	}
	for i := range c.k.unreplied.list.len() {
		if o := c.k.unreplied.list.at(i); !o.hole {
			know(o.key.requester, "which waits for an answer")
		}
	}
}
