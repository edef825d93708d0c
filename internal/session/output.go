package session

import "fmt"

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
	spare *buffers
}

func (o *output) pending() []byte { return o.buf[o.sent:] }

// room makes sure that n bytes can be appended to buf. It may move what is in it, but offsets that are taken after it
// hold until the next room.
func (o *output) room(n int) {
	if o.buf == nil {
		o.buf = o.spare.take()
	}
	if cap(o.buf)-len(o.buf) < n && o.sent > 0 && o.sent >= len(o.buf)/2 {
		o.buf = o.buf[:copy(o.buf, o.buf[o.sent:])]
		o.sent = 0
	}
}

func (o *output) advance(n int) {
	if n < 0 || n > len(o.buf)-o.sent {
		panic(fmt.Sprintf("session: %d bytes sent of %d", n, len(o.buf)-o.sent))
	}
	if o.sent += n; o.sent == len(o.buf) {
		o.drop()
	}
}

func (o *output) drop() {
	if o.buf != nil {
		o.spare.give(o.buf)
		o.buf, o.sent = nil, 0
	}
}
