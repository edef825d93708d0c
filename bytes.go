package kbus

import (
	"context"
	"io"

	"kbus/internal/wire"
	"kbus/message"
)

// Bytes is a Ksock as programs see it that know only read and write (R2.5): messages are written and read in their
// entire form, in pieces of any size. It is for programs that carry messages without looking at them, and for trying
// the edges of the specification; Send and Receive do the same with less. It shares the Ksock's queue. It must not be
// used by several goroutines at once.
type Bytes struct {
	k *Ksock

	// The headers of the messages being written and read, as far as they have gone by: the library must know which
	// Requests the bus owes an answer to.
	written, readBack head
}

// Bytes is the byte-wise view of the Ksock.
func (k *Ksock) Bytes() *Bytes { return &Bytes{k: k} }

// writePiece is how many bytes travel at once.
const writePiece = 256 << 10

// Write appends to the message being written (R3.55). After an error it has been thrown away (R3.62), and the count
// says nothing; only ErrStillSending leaves everything as it was.
func (b *Bytes) Write(p []byte) (n int, err error) {
	for first := true; first || len(p) > 0; first = false {
		piece := p[:min(len(p), writePiece)]
		if err := b.write(piece); err != nil {
			b.written.restart()
			return n, err
		}
		b.written.add(piece)
		n, p = n+len(piece), p[len(piece):]
	}
	return n, nil
}

func (b *Bytes) write(p []byte) error {
	c := b.k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpWrite)
	defer c.release(q)
	q.bytes = p
	return c.ask(context.Background(), q)
}

// Send sends what has been written (R3.65), or tries again to send what waits for room. ErrNothingToSend,
// ErrIncomplete, ErrBadAddress for a message in pointy form, and the errors of Ksock.Send.
func (b *Bytes) Send() (Sent, error) {
	c := b.k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpSend)
	defer c.release(q)
	err := c.ask(context.Background(), q)
	accepted := q.condition == message.OK || q.condition == message.ErrPending
	if h, ok := b.written.header(); ok && h.IsRequest() && accepted && q.sent.ID != c.unsent {
		c.asked.add(q.sent.ID)
		c.unsent = q.sent.ID
	}
	switch q.condition {
	case message.ErrPending:
	case message.OK, message.ErrNothingToSend:
		c.unsent = ID{}
	default:
		c.asked.remove(c.unsent)
		c.unsent = ID{}
	}
	b.written.restart()
	return Sent(q.sent), err
}

// NextMsg takes the next message from the queue to be read, and gives its length in bytes; 0 if there is none. What was
// left of the one before is dropped (R3.35).
func (b *Bytes) NextMsg() (int, error) {
	b.readBack.restart()
	n, err := b.k.conn.Load().number(wire.OpNextMsg, 0, "")
	return int(n), err
}

// LenLeft is how many bytes of the message being read are left (R3.45).
func (b *Bytes) LenLeft() (int, error) {
	n, err := b.k.conn.Load().number(wire.OpLenLeft, 0, "")
	return int(n), err
}

// Read reads from the message that NextMsg took (R3.40). At its end, and when there is none, it gives io.EOF.
func (b *Bytes) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := b.k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpRead)
	defer c.release(q)
	q.arg = uint32(min(len(p), writePiece))
	if err := c.ask(context.Background(), q); err != nil {
		return 0, err
	}
	if len(q.payload) == 0 {
		return 0, io.EOF
	}
	n := copy(p, q.payload)
	if b.readBack.add(p[:n]) {
		h, _ := b.readBack.header()
		c.asked.settle(&Message{Header: h}, c.id)
	}
	return n, nil
}

// head gathers the header of a message in entire form.
type head struct {
	bytes [message.HeaderBytes]byte
	n     int
}

func (h *head) restart() { h.n = 0 }

// add reports whether the header has become complete.
func (h *head) add(p []byte) bool {
	n := copy(h.bytes[h.n:], p)
	h.n += n
	return n > 0 && h.n == len(h.bytes)
}

func (h *head) header() (Header, bool) {
	if h.n < len(h.bytes) {
		return Header{}, false
	}
	return message.ParseHeader(h.bytes[:]).Header, true
}
