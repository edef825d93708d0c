package client

import (
	"slices"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What a Core does for Pipes. Results come in the order of the messages, so those to come need no questions: a ring of
// what was sent is enough, and a result belongs to the first in it. Nobody waits for a single one. Whichever goroutine
// receives takes them as they come; a Pipe receives only when the ring is full, when the link takes no more, or to flush. It
// waits for a number of results then, with a question that is never sent.
//
// A result must not be ErrStillSending. The messages behind one that waits for room would be refused, but only until it
// has got room: the first of them that comes later would be accepted, ahead of all that were refused before it. So
// nothing is sent while a message may be waiting (see Way).
//
// A result for which nobody waits is not worth waking us. So they are asked for lazily, but for that of the last message
// of each half of the ring, and of Requests, whose id we want to know as long as there is a bus. A Reset goes before a wait
// for results behind which there is no such message.

// MaxPiped is how many results may be to come on one connection.
const MaxPiped = 256

// Messages are collected up to so many bytes or messages. What the link does not take at once may be as long.
const (
	collectedBytes    = 16 << 10
	collectedMessages = 64
)

// notSent is the operation of a question that waits for results. The bus cannot answer it.
const notSent wire.Op = 0

type piped struct {
	ring       []pipedMessage // MaxPiped of them, or nil; message n is at n modulo MaxPiped
	sent, done uint64
	eager      uint64 // up to here the results are sure to wake us
	collected  int
	waiters    []*Question // until done is their upTo

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

// Pipe is one of the Pipes of a connection: what became of its messages, and what is not told yet.
type Pipe struct {
	Totals Totals
	Last   uint64 // the message of the connection that it has sent last
	failed []PipeFailure
	index  uint64 // of the next message
}

// Totals has the fields of kbus.Totals.
type Totals struct {
	Accepted uint64
	Failed   uint64
	Reached  uint64
	Skipped  uint64
}

// PipeFailure has the fields of kbus.PipeError.
type PipeFailure struct {
	Index uint64
	Name  string
	Err   error
	Text  string
}

// Failure takes the first failure that has not been told; nil if there is none.
func (p *Pipe) Failure() *PipeFailure {
	if len(p.failed) == 0 {
		return nil
	}
	first := p.failed[0]
	if p.failed = p.failed[1:]; len(p.failed) == 0 {
		p.failed = nil
	}
	return &first
}

// Way says what there is to wait for before one more message can go through a Pipe, and be accepted.
type Way uint8

const (
	WayClear   Way = iota // nothing
	WayRoom               // that no message waits for room: ask WaitSent, and then say SeenThrough
	WayResults            // results, up to the number that comes with it
	WayEnded              // the connection has ended
)

// Way is asked again after each wait. Out has been sent as far as it could be.
func (c *Core) Way() (way Way, upTo uint64) {
	p := &c.piped
	switch {
	case c.ended != message.OK:
		return WayEnded, 0
	case p.patient != p.through:
		return WayRoom, p.patient
	case p.sent-p.done == MaxPiped:
		return WayResults, p.sent - MaxPiped/2
	case c.Crowded() && p.sent != p.done:
		return WayResults, p.done + 1
	}
	return WayClear, 0
}

// Crowded reports whether so much is collected, or the link has left so much, that nothing should be added.
func (o *outgoing) Crowded() bool { return len(o.frames) >= collectedBytes }

// SeenThrough says that none of the messages up to that one waits for room.
func (p *piped) SeenThrough(patient uint64) { p.through = max(p.through, patient) }

// Pipe makes a message a frame, and reports whether it is time to send what is collected.
func (c *Core) Pipe(pipe *Pipe, m *message.Message) (full bool) {
	p := &c.piped
	if p.ring == nil {
		p.ring = make([]pipedMessage, MaxPiped)
	}
	sent := pipe.next(m)
	sent.seq = c.nextSeq()
	p.ring[p.sent%MaxPiped] = sent
	p.sent++
	pipe.Last = p.sent
	h := wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy, Seq: sent.seq}
	if sent.request || p.sent-p.eager >= MaxPiped/2 {
		h.Flags, p.eager = 0, p.sent
	}
	c.copyBody()
	c.appendMessage(h, m)
	p.collected++
	return p.collected >= collectedMessages || c.Crowded()
}

// Refuse is for a message that cannot travel, when the results of those before it are known.
func (c *Core) Refuse(pipe *Pipe, m *message.Message, condition message.Condition) {
	sent := pipe.next(m)
	sent.fail(condition, c.Unfit(m, condition))
}

func (p *Pipe) next(m *message.Message) pipedMessage {
	sent := pipedMessage{pipe: p, index: p.index, name: m.Name, request: m.IsRequest()}
	p.index++
	return sent
}

// Collected says that what was collected is being sent.
func (p *piped) Collected() { p.collected = 0 }

// WaitResults gives a question that is completed when so many results have come in all, or the connection has ended; nil if
// they have. EndWait ends it. A Reset that makes them come may have been added to Out.
func (c *Core) WaitResults(upTo uint64) *Question {
	p := &c.piped
	if p.done >= upTo {
		return nil
	}
	if p.eager < upTo && c.ended == message.OK {
		p.eager = p.sent
		c.startOrphan(c.Question(wire.OpReset))
	}
	q := c.Question(notSent)
	q.upTo, q.seq = upTo, c.nextSeq()
	c.waiting[q.seq] = q // so that it is told of the end
	p.waiters = append(p.waiters, q)
	return q
}

// EndWait takes back what WaitResults gave.
func (c *Core) EndWait(q *Question) {
	delete(c.waiting, q.seq)
	i := slices.Index(c.piped.waiters, q)
	c.piped.waiters = slices.Delete(c.piped.waiters, i, i+1)
	c.Release(q)
}

// nextPiped is the message whose result comes next, nil if none is to come.
func (p *piped) nextPiped() *pipedMessage {
	if p.sent != p.done {
		return &p.ring[p.done%MaxPiped]
	}
	return nil
}
