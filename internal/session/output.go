package session

import (
	"fmt"
	"slices"
)

// What a session has to send is appended to one buffer, each message once, straight from the bus's store. A session
// holds a buffer only while it has something to send: an idle client costs none, and the next session to speak gets
// the one used last, which is still in the processor's cache.

// busyBytes is how much unsent output makes a session Busy.
const busyBytes = 64 << 10

// Buffers given back are kept for reuse up to keptBytes in all, so what a burst needed is not held for ever.
const (
	keptBytes      = 2 << 20
	smallestBuffer = 4 << 10
)

type buffers struct {
	free      [][]byte
	freeBytes int
}

func (f *buffers) take() []byte {
	if n := len(f.free); n > 0 {
		b := f.free[n-1]
		f.free[n-1] = nil
		f.free = f.free[:n-1]
		f.freeBytes -= cap(b)
		return b
	}
	return make([]byte, 0, smallestBuffer)
}

func (f *buffers) give(b []byte) {
	if f.freeBytes+cap(b) <= keptBytes {
		f.free = append(f.free, b[:0])
		f.freeBytes += cap(b)
	}
}

type output struct {
	buf   []byte // nil when there is nothing to send
	sent  int    // of buf
	run   series // its last frame, perhaps
	eager bool   // some of it is not lazy, see Session.Lazy
	spare *buffers
	rest
}

// rest is what follows buf: the pieces of a long report, which are not put together.
type rest struct {
	pieces [][]byte
	bytes  int
}

func (o *output) pending() []byte { return o.buf[o.sent:] }

// all is what is to be sent, together.
func (o *output) all() []byte {
	if len(o.pieces) == 0 {
		return o.pending()
	}
	return slices.Concat(append([][]byte{o.pending()}, o.pieces...)...)
}

// follow puts pieces behind what is to be sent, of which there is something.
func (o *output) follow(pieces [][]byte) {
	o.run.at = -1
	o.pieces = pieces
	for _, p := range pieces {
		o.bytes += len(p)
	}
}

// room makes sure that n bytes can be appended to buf. It may move what is in it, but offsets that are taken after it
// hold until the next room.
func (o *output) room(n int) {
	if len(o.pieces) > 0 { // there is one thing that may come behind them: that the bus ends
		o.buf, o.sent = o.all(), 0
		o.giveRest()
	}
	if o.buf == nil {
		o.buf = o.spare.take()
	}
	if cap(o.buf)-len(o.buf) < n && o.sent > 0 && o.sent >= len(o.buf)/2 {
		o.run.moved(o.sent)
		o.buf = o.buf[:copy(o.buf, o.buf[o.sent:])]
		o.sent = 0
	}
}

func (o *output) advance(n int) {
	if n < 0 || n > len(o.buf)-o.sent {
		panic(fmt.Sprintf("session: %d bytes sent of %d", n, len(o.buf)-o.sent))
	}
	if o.sent += n; o.sent < len(o.buf) {
		return
	}
	if len(o.pieces) == 0 {
		o.drop()
		return
	}
	o.spare.give(o.buf)
	o.buf, o.sent = o.pieces[0], 0
	o.pieces = o.pieces[1:]
	o.bytes -= len(o.buf)
}

func (o *output) giveRest() {
	for _, p := range o.pieces {
		o.spare.give(p)
	}
	o.rest = rest{}
}

func (o *output) drop() {
	o.giveRest()
	if o.buf != nil {
		o.spare.give(o.buf)
		o.buf, o.sent, o.run.at = nil, 0, -1
	}
}
