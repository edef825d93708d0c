package kbus

import (
	"context"
	"io"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// File is a Ksock as the original's device files have it: messages are written and read in their entire form, in pieces
// of any size, and what ioctls tell and do beyond the methods of a Ksock is here too. It is for programs that carry
// messages without looking at them, and for trying the edges of KBUS; Send and Receive do the same with less. It shares
// the Ksock's queue. There is one message being written and one being read, so one goroutine at a time should do either.
type File struct {
	k *Ksock

	// The headers of the messages being written and read, as far as they have gone by: the library must know which
	// Requests the bus owes an answer to. The connection's lock guards them; they are of that connection.
	of                *conn
	written, readBack head
}

// on locks the connection, and forgets what went by on another one.
func (f *File) on() *conn {
	c := f.k.conn.Load()
	c.Lock()
	if f.of != c {
		f.of, f.written, f.readBack = c, head{}, head{}
	}
	return c
}

// writePiece is how many bytes travel at once.
const writePiece = 256 << 10

// Write appends to the message being written. After an error it has been thrown away, and the count says nothing; only
// ErrStillSending leaves everything as it was.
func (f *File) Write(ctx context.Context, p []byte) (n int, err error) {
	for first := true; first || len(p) > 0; first = false {
		piece := p[:min(len(p), writePiece)]
		if err := f.write(ctx, piece); err != nil {
			return n, err
		}
		n, p = n+len(piece), p[len(piece):]
	}
	return n, nil
}

func (f *File) write(ctx context.Context, p []byte) error {
	c := f.on()
	defer c.Unlock()
	q := c.Question(wire.OpWrite)
	defer c.Release(q)
	q.Bytes = p
	err := c.ask(ctx, q)
	if err != nil {
		f.written.restart()
	} else {
		f.written.add(p)
	}
	return err
}

// Send sends what has been written, or tries again to send what waits for room. ErrNothingToSend, ErrIncomplete,
// ErrBadAddress for a message in pointy form, and the errors of Ksock.Send.
func (f *File) Send(ctx context.Context) (Sent, error) {
	c := f.on()
	defer c.Unlock()
	q := c.Question(wire.OpSend)
	defer c.Release(q)
	if h, ok := f.written.header(); ok {
		q.Request = h.IsRequest()
	}
	err := c.ask(ctx, q)
	f.written.restart()
	return sent(q, err)
}

// NextMsg takes the next message from the queue to be read, and gives its length in bytes; 0 if there is none. What was
// left of the one before is dropped.
func (f *File) NextMsg(ctx context.Context) (bytes int, err error) {
	c := f.on()
	f.readBack.restart()
	c.Unlock()
	n, err := c.number(ctx, wire.OpNextMsg, 0, "")
	return int(n), err
}

// LenLeft is how many bytes of the message being read are left.
func (f *File) LenLeft(ctx context.Context) (bytes int, err error) {
	n, err := f.k.conn.Load().number(ctx, wire.OpLenLeft, 0, "")
	return int(n), err
}

// Read reads from the message that NextMsg took. At its end, and when there is none, it gives io.EOF.
func (f *File) Read(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := f.on()
	defer c.Unlock()
	q := c.Question(wire.OpRead)
	defer c.Release(q)
	q.Arg = uint32(min(len(p), writePiece))
	if err := c.ask(ctx, q); err != nil {
		return 0, err
	}
	if len(q.Payload) == 0 {
		return 0, io.EOF
	}
	n := copy(p, q.Payload)
	if f.readBack.add(p[:n]) {
		h, _ := f.readBack.header()
		c.MarkAnswered(&h)
	}
	return n, nil
}

// Resend tries again to send the message that waits for room, and fails as Send does; the message is lost then.
// ErrNothingToSend if no message waits, because it has been sent meanwhile. There is no need to call it: the bus tries by
// itself whenever there may be room.
func (f *File) Resend(ctx context.Context) (Sent, error) {
	c := f.on()
	defer c.Unlock()
	q := c.Question(wire.OpResend)
	defer c.Release(q)
	return sent(q, c.ask(ctx, q))
}

// Poll tells whether there is something to receive and whether a message can be sent.
func (f *File) Poll(ctx context.Context) (canReceive, canSend bool, err error) {
	c := f.k.conn.Load()
	bits, err := c.number(ctx, wire.OpPoll, 0, "")
	return bits&client.Readable != 0 || err == nil && c.Kept() > 0, bits&client.Writable != 0, err
}

// Sending tells whether a message of the Ksock waits for room.
func (f *File) Sending(ctx context.Context) (bool, error) {
	_, canSend, err := f.Poll(ctx)
	return err == nil && !canSend && f.k.mode&WriteMode != 0, err
}

// LastSent is the id of the last message that the Ksock has sent, or tried to; zero before the first.
func (f *File) LastSent(ctx context.Context) (ID, error) {
	c := f.on()
	defer c.Unlock()
	q := c.Question(wire.OpLastSent)
	defer c.Release(q)
	err := c.ask(ctx, q)
	return q.Sent.ID, err
}

// Replier is the Ksock bound as Replier to exactly that text, 0 if there is none. A wildcard is only text here;
// Observer.Who tells who would get a message. ErrNameTooLong if the name is empty or too long.
func (f *File) Replier(ctx context.Context, name string) (KsockID, error) {
	n, err := f.k.conn.Load().number(ctx, wire.OpReplier, 0, name)
	return KsockID(n), err
}

// Verbose tells whether the bus logs what it does. It is a setting of the whole bus.
func (f *File) Verbose(ctx context.Context) (bool, error) {
	return f.k.turn(ctx, wire.OpVerbose, justAsk)
}

// SetVerbose turns that on or off, and tells what it was before. It is for administrators of the bus, else
// ErrNotAdministrator.
func (f *File) SetVerbose(ctx context.Context, on bool) (was bool, err error) {
	return f.k.turn(ctx, wire.OpVerbose, switchTo(on))
}

// Reset does nothing but ask, and is here because the original has it. When it returns, the bus has dealt with what was
// asked before.
func (f *File) Reset(ctx context.Context) error {
	return f.k.conn.Load().perform(ctx, wire.OpReset, 0, "")
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
