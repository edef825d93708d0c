package bus

import (
	"fmt"
	"testing"

	"kbus.example/kbus/message"
)

// What is done to a long queue costs what it takes out of it: steps are counted, at two lengths.

// crowded is a bus with a Listener and Replier that reads nothing, and a sender of another user.
type crowded struct {
	*testing.T
	b    *Bus
	k, s *Ksock
}

func newCrowded(t *testing.T) *crowded {
	c := &crowded{T: t, b: New(Config{MaxMessages: 1 << 30})}
	c.k, _ = c.b.Open(Owner{UID: 1})
	c.s, _ = c.b.Open(Owner{UID: 2})
	c.b.Bind(c.k, "$.A", false)
	c.b.Bind(c.k, "$.B", false)
	c.b.Bind(c.k, "$.Q", true)
	return c
}

func (c *crowded) send(k *Ksock, name string, flags message.Flags) message.ID {
	c.Helper()
	o := c.b.Send(k, &message.Header{Flags: flags}, []byte(name), nil)
	if o.Err != message.OK || o.Reached == 0 {
		c.Fatalf("%s: %+v", name, o)
	}
	return o.ID
}

// steps is what an operation costs, in entries looked at.
func (c *crowded) steps() int {
	n := c.k.queue.steps + c.s.queue.steps
	for _, k := range []*Ksock{c.k, c.s} {
		n += k.outstanding.steps + k.unreplied.steps
	}
	return n
}

func TestWorkIsLinear(t *testing.T) {
	for name, do := range map[string]func(c *crowded, n int){
		"unbind half": func(c *crowded, n int) {
			for range n / 2 {
				c.send(c.s, "$.A", 0)
				c.send(c.s, "$.B", 0)
			}
			c.b.Unbind(c.k, "$.A", false)
			c.left(n / 2)
		},
		"unbind a Replier": func(c *crowded, n int) {
			for range n / 2 {
				c.send(c.s, "$.Q", message.WantAReply)
				c.send(c.s, "$.B", 0)
			}
			c.b.Unbind(c.k, "$.Q", true)
			c.left(n / 2)
			if c.s.outstanding.len() != 0 || c.s.queue.len() != n/2 {
				c.Errorf("%d open, %d answers", c.s.outstanding.len(), c.s.queue.len())
			}
		},
		"unbind again and again what is little": func(c *crowded, n int) {
			for range n {
				c.send(c.s, "$.B", 0)
			}
			for i := range n {
				c.send(c.s, "$.A", message.Flags(i%2)*message.Urgent)
				c.b.Unbind(c.k, "$.A", false)
				c.b.Bind(c.k, "$.A", false)
			}
			c.left(n)
		},
		"answer the last asked first": func(c *crowded, n int) {
			ids := c.ask(n)
			for i := range ids {
				c.reply(ids[n-1-i])
			}
		},
		"answer anyhow and pick the answers anyhow": func(c *crowded, n int) {
			ids := c.ask(n)
			for i := range ids {
				c.reply(ids[i*7919%n])
			}
			for i := range ids {
				d, ok := c.b.NextReply(c.s, ids[i*104729%n])
				if !ok {
					c.Fatalf("no answer %d", i)
				}
				c.b.Release(&d)
			}
		},
		"urgent ones while somebody waits": func(c *crowded, n int) {
			for range n {
				c.send(c.s, "$.B", 0)
			}
			for range n {
				c.send(c.s, "$.B", message.Urgent)
				c.b.NextAnswer(c.k, func(message.ID) bool { return false })
			}
		},
		"close with all read and nothing answered": func(c *crowded, n int) {
			c.ask(n)
			c.b.Close(c.k)
			if c.s.queue.len() != n || c.s.outstanding.len() != 0 {
				c.Errorf("%d Statuses, %d open", c.s.queue.len(), c.s.outstanding.len())
			}
		},
		"close with all queued": func(c *crowded, n int) {
			for range n {
				c.send(c.s, "$.B", 0)
			}
			c.b.Close(c.k)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var each [2]float64
			for i, n := range []int{2000, 16000} {
				c := newCrowded(t)
				do(c, n)
				each[i] = float64(c.steps()) / float64(n)
			}
			if each[1] > 1.5*each[0]+1 {
				t.Errorf("%.1f steps for each of few, %.1f for each of many", each[0], each[1])
			}
		})
	}
}

func (c *crowded) left(n int) {
	c.Helper()
	if c.k.queue.len() != n {
		c.Errorf("%d are left, want %d", c.k.queue.len(), n)
	}
}

// ask asks so much, and all is read.
func (c *crowded) ask(n int) (ids []message.ID) {
	for range n {
		ids = append(ids, c.send(c.s, "$.Q", message.WantAReply))
		d, _ := c.b.Next(c.k)
		c.b.Release(&d)
	}
	return ids
}

func (c *crowded) reply(to message.ID) {
	c.Helper()
	h := message.Header{InReplyTo: to, To: c.s.id}
	if o := c.b.Send(c.k, &h, []byte("$.Q"), nil); o.Err != message.OK {
		c.Fatalf("reply: %+v", o)
	}
}

// What Unbind and Close take out of a long queue is out of it at once. It is freed in pieces, and before anybody would
// be refused for it.
func TestSweeping(t *testing.T) {
	const n = 10 * sweepPiece
	each := charge(3, 0) + perCopy
	for _, close := range []bool{false, true} {
		c := newCrowded(t)
		c.b.SetLimits(Limits{UserQueueBytes: n * each})
		for range n {
			c.send(c.s, "$.A", 0)
		}
		other, _ := c.b.Open(Owner{UID: 1})
		c.b.Bind(other, "$.C", false)
		if o := c.b.Send(c.s, &message.Header{}, []byte("$.C"), nil); o.Skipped != 1 {
			t.Fatalf("%+v, and there is no room", o)
		}
		if close {
			c.b.Close(c.k)
		} else {
			c.b.Unbind(c.k, "$.A", false)
			c.left(0)
		}
		if held := c.b.Info().QueueBytes; held != (n-sweepPiece)*each || !c.b.Littered() {
			t.Errorf("%d bytes held after one piece, want %d", held, (n-sweepPiece)*each)
		}
		for i := range 2 * sweepPiece {
			if o := c.b.Send(c.s, &message.Header{}, []byte("$.C"), nil); o.Reached != 1 {
				t.Fatalf("number %d: %+v, and all that was in the way has gone", i, o)
			}
		}
		for c.b.Sweep(100) {
		}
		if c.b.Littered() {
			t.Error("swept, and there is some left")
		}
	}
}

// The index of answers knows of several to one Request, which Limpets' ids allow.
func TestAnswersToOneID(t *testing.T) {
	b := New(Config{MaxMessages: 1 << 20})
	s, _ := b.Open(Owner{})
	for i := range uint32(300) {
		h := message.Header{ID: message.ID{Serial: i + 1}, InReplyTo: message.ID{Network: 9, Serial: i % 100}}
		b.push(s, b.make(&h, fmt.Sprintf("$.N%d", i), nil), nil)
	}
	for i := range uint32(300) {
		d, ok := b.NextReply(s, message.ID{Network: 9, Serial: 99 - i/3})
		if want := fmt.Sprintf("$.N%d", 99-i/3+100*(i%3)); !ok || string(d.Name) != want {
			t.Fatalf("number %d is %s, want %s", i, d.Name, want)
		}
		b.Release(&d)
	}
	if _, ok := b.NextReply(s, message.ID{Network: 9}); ok || s.queue.index != nil {
		t.Error("something is left")
	}
}

// What waits for room is tried again at each change that may help it, and that is work of whoever has made the change.
func TestTryingAgainIsWork(t *testing.T) {
	const waiting = 100
	b := New(Config{MaxMessages: 1})
	full, _ := b.Open(Owner{UID: 1})
	b.Bind(full, "$.Full", false)
	b.Send(full, &message.Header{}, []byte("$.Full"), nil)
	for range waiting {
		k, _ := b.Open(Owner{UID: 2})
		if o := b.Send(k, &message.Header{Flags: message.AllOrWait}, []byte("$.Full"), nil); o.Err != message.ErrPending {
			t.Fatal(o.Err)
		}
	}
	b.Due()
	b.Worked()
	b.Bind(full, "$.Full", true)
	if n := b.Worked(); n < waiting*retryWork {
		t.Errorf("%d tries are %d steps of work", waiting, n)
	}
	const piece = 30
	tried := map[*Ksock]bool{}
	for calls := 0; b.Untried(); calls++ {
		if calls*piece > waiting {
			t.Fatal("it has no end")
		}
		b.Tries(piece)
		for b.Woken(); !b.Quiet(); {
			due := b.Due()
			if len(due) > piece {
				t.Errorf("%d tries; want %d at most", len(due), piece)
			}
			for _, k := range due {
				tried[k] = true
				b.Poll(k)
			}
		}
	}
	if len(tried) != waiting {
		t.Errorf("%d of %d that wait were tried again", len(tried), waiting)
	}
}

// As much of what was thrown away is swept as a message needs that would else be refused.
func TestSweptAsFarAsNeeded(t *testing.T) {
	const messages, each = 3000, 3 + perMessage + perCopy
	b := New(Config{Limits: Limits{UserQueueBytes: messages * each}})
	k, _ := b.Open(Owner{})
	b.SetMaxMessages(k, 2*messages)
	b.Bind(k, "$.A", false)
	send := func(n int) message.Condition {
		return b.Send(k, &message.Header{Flags: message.AllOrFail}, []byte("$.A"), make([]byte, n)).Err
	}
	for i := range messages {
		if c := send(0); c != message.OK {
			t.Fatalf("message %d: %v", i, c)
		}
	}
	if c := send(0); c != message.ErrListenerFull {
		t.Fatalf("beyond the limit: %v", c)
	}
	b.Unbind(k, "$.A", false)
	b.Bind(k, "$.A", false)
	if c := send(2000 * each); c != message.OK {
		t.Errorf("what was thrown away has left no room: %v", c)
	}
}
