package kbus

import (
	"context"
	"slices"

	"kbus/internal/wire"
	"kbus/message"
)

// What a conn does for Pipes. Results come in the order of the messages, so those to come need no questions: a ring of
// what was sent is enough, and a result belongs to the first in it. Nobody waits for a single one. Whoever leads takes
// them as they come; a Pipe leads only when the ring is full, when the link takes no more, or to flush. It waits for a
// number of results then, with a question that is never sent.
//
// A result must not be ErrStillSending. The messages behind one that waits for room would be refused, but only until it
// has got room: the first of them that comes later would be accepted, ahead of all that were refused before it. So
// nothing is sent while a message may be waiting (makeWay).
//
// A result for which nobody waits is not worth waking us. So they are asked for lazily, but for that of the last message
// of each half of the ring, and of Requests, whose id we want to know as long as there is a bus. Whoever waits for a
// result behind which there is no such message sends a Reset.

// maxPiped is how many results may be to come on one connection.
const maxPiped = 256

// Messages are collected up to so many bytes or messages. What the link does not take at once may be as long.
const (
	collectedBytes    = 16 << 10
	collectedMessages = 64
)

// notSent is the operation of a question that waits for results. The bus cannot answer it.
const notSent wire.Op = 0

type piped struct {
	ring       []pipedMessage // maxPiped of them, or nil; message n is at n modulo maxPiped
	sent, done uint64
	eager      uint64 // up to here the results are sure to wake us
	collected  int
	waiters    []*question // until done is their upTo

	// Messages sent that may have to wait for room, and how many of them are known to wait no more.
	patient, through uint64
}

// pipedMessage is what is remembered of one until its result has come.
type pipedMessage struct {
	pipe    *Pipe
	index   uint64
	name    string
	seq     uint32
	request bool
}

// makeWay waits until one more message can be sent, and accepted.
func (c *conn) makeWay(ctx context.Context) error {
	if ctx.Err() != nil {
		return canceledBy(ctx)
	}
	for p := &c.piped; ; {
		var err error
		switch {
		case c.ended != message.OK:
			err = c.ended
		case p.patient != p.through:
			err = c.seeThrough(ctx)
		case p.sent-p.done == maxPiped:
			err = c.awaitResults(ctx, p.sent-maxPiped/2)
		case c.crowded() && p.sent != p.done:
			err = c.awaitResults(ctx, p.done+1)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// seeThrough waits until none of the messages sent so far waits for room.
func (c *conn) seeThrough(ctx context.Context) error {
	patient := c.piped.patient
	q := c.question(wire.OpWaitSent)
	defer c.release(q)
	err := c.ask(ctx, q)
	if q.answered && q.condition == message.OK {
		c.piped.through = max(c.piped.through, patient)
		return nil
	}
	return err.(*Error).Err
}

// sendPiped puts a message into toSend, and lets the link have it when there is enough.
func (c *conn) sendPiped(sent pipedMessage, m *Message) {
	p := &c.piped
	if p.ring == nil {
		p.ring = make([]pipedMessage, maxPiped)
	}
	sent.seq = c.nextSeq()
	p.ring[p.sent%maxPiped] = sent
	p.sent++
	h := wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy, Seq: sent.seq}
	if sent.request || p.sent-p.eager >= maxPiped/2 {
		h.Flags, p.eager = 0, p.sent
	}
	c.appendMessage(h, m)
	if p.collected++; p.collected >= collectedMessages || len(c.toSend) >= collectedBytes {
		c.flushPiped()
	}
}

func (c *conn) flushPiped() {
	c.piped.collected = 0
	c.flush()
}

// crowded reports whether the link takes no more for the moment.
func (c *conn) crowded() bool {
	if len(c.toSend) >= collectedBytes {
		c.flushPiped()
	}
	return len(c.toSend) >= collectedBytes
}

// awaitResults waits until so many results have come in all, or the connection has ended. The error is that of ctx.
func (c *conn) awaitResults(ctx context.Context, upTo uint64) error {
	if c.piped.done < upTo && c.piped.eager < upTo && c.ended == message.OK {
		c.piped.eager = c.piped.sent
		reset := c.question(wire.OpReset)
		reset.orphan = true
		_ = c.start(reset) // cannot fail: it is no message, and the connection lasts
	}
	c.flushPiped()
	if c.piped.done >= upTo {
		return nil
	}
	q := c.question(notSent)
	defer c.release(q)
	q.upTo = upTo
	seq := c.nextSeq()
	c.waiting[seq] = q // so that it is told of the end, and to lead
	c.piped.waiters = append(c.piped.waiters, q)
	c.await(ctx, q)
	delete(c.waiting, seq)
	i := slices.Index(c.piped.waiters, q)
	c.piped.waiters = slices.Delete(c.piped.waiters, i, i+1)
	if !q.answered {
		return canceledBy(ctx)
	}
	return nil
}
