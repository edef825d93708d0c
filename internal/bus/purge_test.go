package bus

import (
	"testing"

	"kbus.example/kbus/message"
)

// toDo is what is left to be done in pieces: entries to go through and Statuses to make.
func (b *Bus) toDo() (n int) {
	for _, h := range b.heaps {
		n += h.len()
	}
	for _, p := range b.purges {
		n += p.k.queue.entries.len()
	}
	return n + b.owing
}

// However long a queue is, no operation looks at more of it than it may, and neither does a piece of what is left to do.
func TestNoStepIsLong(t *testing.T) {
	const n, piece, steps = 40_000, 1000, 300
	for name, c := range map[string]struct {
		fill func(c *crowded)
		do   func(c *crowded)
		left int // in the queue
		get  int // Statuses
	}{
		"unbind half": {
			fill: func(c *crowded) {
				for range n / 2 {
					c.send(c.s, "$.A", 0)
					c.send(c.s, "$.B", 0)
				}
			},
			do:   func(c *crowded) { c.b.Unbind(c.k, "$.A", false) },
			left: n / 2,
		},
		"unbind what is little and in the middle": {
			fill: func(c *crowded) {
				for i := range n {
					c.send(c.s, "$.B", 0)
					if i == n/2 {
						c.send(c.s, "$.A", 0)
					}
				}
			},
			do:   func(c *crowded) { c.b.Unbind(c.k, "$.A", false) },
			left: n,
		},
		"unbind a Replier": {
			fill: func(c *crowded) {
				for range n / 2 {
					c.send(c.s, "$.Q", message.WantAReply)
					c.send(c.s, "$.B", 0)
				}
			},
			do:   func(c *crowded) { c.b.Unbind(c.k, "$.Q", true) },
			left: n / 2, get: n / 2,
		},
		"evict a Replier whose Requests are little and in the middle": {
			fill: func(c *crowded) {
				for i := range n {
					c.send(c.s, "$.B", 0)
					if i == n/2 {
						c.send(c.s, "$.Q", message.WantAReply)
					}
				}
			},
			do:   func(c *crowded) { c.b.Evict(c.k, "$.Q") },
			left: n, get: 1,
		},
		"close with one Request, which is the last": {
			fill: func(c *crowded) {
				for range n {
					c.send(c.s, "$.B", 0)
				}
				c.send(c.s, "$.Q", message.WantAReply)
			},
			do:  func(c *crowded) { c.b.Close(c.k) },
			get: 1,
		},
		"close with all unread": {
			fill: func(c *crowded) {
				for range n {
					c.send(c.s, "$.Q", message.WantAReply)
				}
			},
			do:  func(c *crowded) { c.b.Close(c.k) },
			get: n,
		},
		"close with all read": {
			fill: func(c *crowded) { c.ask(n) },
			do:   func(c *crowded) { c.b.Close(c.k) },
			get:  n,
		},
		"close in the middle of an Unbind": {
			fill: func(c *crowded) {
				for range n / 2 {
					c.send(c.s, "$.A", 0)
					c.send(c.s, "$.Q", message.WantAReply)
				}
			},
			do: func(c *crowded) {
				c.b.Unbind(c.k, "$.A", false)
				c.b.PurgeOn(c.k, piece)
				c.b.Close(c.k)
			},
			get: n / 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cr := newCrowded(t)
			cr.b.InPieces(piece)
			c.fill(cr)
			had, before := cr.s.queue.len(), cr.steps()
			c.do(cr)
			if now := cr.steps() - before + cr.s.queue.len() - had; now > 2*piece {
				t.Errorf("%d steps at once", now)
			}
			if !cr.b.Littered() {
				t.Error("there is nothing left to do")
			}
			cr.left(c.left)
			for todo := cr.b.toDo(); cr.b.Sweep(steps); {
				if did := todo - cr.b.toDo(); did > steps {
					t.Fatalf("%d steps, and only %d are to be made", did, steps)
				}
				todo = cr.b.toDo()
			}
			cr.left(c.left)
			if cr.s.queue.len() != c.get || cr.s.outstanding.len() != 0 {
				t.Errorf("%d Statuses, %d Requests open; want %d, 0", cr.s.queue.len(), cr.s.outstanding.len(), c.get)
			}
		})
	}
}

// What is to be swept of one user is nobody else's business: who cannot be charged for want of his own room does not
// sweep for others.
func TestSweptAreOnlyOnesOwn(t *testing.T) {
	const n = 10 * sweepPiece
	each := charge(3, 0) + perCopy
	c := newCrowded(t)
	c.b.SetLimits(Limits{UserQueueBytes: n * each})
	for range n {
		c.send(c.s, "$.A", 0)
	}
	full, _ := c.b.Open(Owner{UID: 3})
	c.b.Bind(full, "$.C", false)
	for range n {
		c.send(c.s, "$.C", 0)
	}
	c.b.Unbind(c.k, "$.A", false)
	before := c.b.toDo()
	if o := c.b.Send(c.s, &message.Header{}, []byte("$.C"), nil); o.Skipped != 1 || c.b.toDo() != before {
		t.Errorf("%+v, and %d of %d are to be freed", o, c.b.toDo(), before)
	}
}
