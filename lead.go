package kbus

import (
	"context"
	"time"

	"kbus/internal/wire"
	"kbus/message"
)

// Waiting for an answer. See conn for who receives.

// await waits until q is answered or ctx ends.
func (c *conn) await(ctx context.Context, q *question) {
	q.attended = true
	for q.open(ctx) {
		if c.leading {
			c.follow(ctx, q)
		} else {
			c.lead(ctx, q)
		}
	}
	q.attended = false
	if !c.leading {
		c.handOver()
	}
}

// follow waits to be told by the leader.
func (c *conn) follow(ctx context.Context, q *question) {
	c.mu.Unlock()
	select {
	case <-q.wake:
	case <-ctx.Done():
	}
	c.mu.Lock()
}

// lead receives until q is answered, for everybody.
func (c *conn) lead(ctx context.Context, q *question) {
	c.leading, c.leads = true, q
	c.watch(ctx)
	for q.open(ctx) {
		p, room := c.in.space(), len(c.toSend) > 0
		c.mu.Unlock()
		n, err := c.link.recv(p, room)
		c.mu.Lock()
		if c.ended != message.OK {
			break
		}
		if err == nil {
			err = c.arrived(n, q)
		}
		if err == nil && c.front != nil {
			err = c.serveClaimers(q)
		}
		if err != nil {
			c.lose(err)
			break
		}
		if room {
			c.sendSome()
		}
	}
	c.keepWatching(ctx)
	c.leading, c.leads = false, nil
	c.left.Broadcast()
}

// open reports whether there is still something to wait for.
func (q *question) open(ctx context.Context) bool {
	return !q.answered && !q.pointless && ctx.Err() == nil
}

// handOver lets another of those who wait lead.
func (c *conn) handOver() {
	for _, w := range c.claimers {
		if w.attended {
			w.signal()
			return
		}
	}
	for _, w := range c.waiting {
		if w.attended {
			w.signal()
			return
		}
	}
}

// watch has the leader woken when ctx ends.
func (c *conn) watch(ctx context.Context) {
	if done := ctx.Done(); done != nil && done != c.watched {
		c.watchNone()
		c.watched, c.unwatch = done, context.AfterFunc(ctx, c.poke)
	}
}

// keepWatching keeps it for the next leader if this one's context is the same as the last one's, as in a loop that
// receives, which then costs nothing. A context made for one call is let go of, since it will be canceled for the sake
// of order, and nobody wants to be woken by that.
func (c *conn) keepWatching(ctx context.Context) {
	done := ctx.Done()
	if done != c.lately {
		c.watchNone()
	}
	c.lately = done
}

func (c *conn) watchNone() {
	if c.unwatch != nil {
		c.unwatch()
	}
	c.watched, c.unwatch = nil, nil
}

// patience is how long a bus that has been told that we have given up may take to say what it had done by then.
const patience = 100 * time.Millisecond

// giveUp is for a question that nobody wants to wait for any longer. The bus is asked to cancel it, and it answers at
// once: with what was asked for, if that had come in the meantime, so that nothing is lost between the two. A bus
// that does not answer is in a bad way, and then the question is an orphan: a message that its answer may still bring
// goes to whoever receives next.
func (c *conn) giveUp(ctx context.Context, q *question) {
	if c.ended == message.OK && q.waits() {
		q.canceling = true
		cancel := c.question(wire.OpCancel)
		cancel.arg, cancel.orphan = q.seq, true
		if c.start(cancel) == nil {
			c.flush()
		}
	}
	q.pointless = false
	last, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	c.await(last, q)
	done()
	if !q.answered {
		q.orphan = true
	}
}

// signal wakes whoever waits for the question.
func (q *question) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
