// Package recent keeps the last events of a bus in memory, for a recorder that writes only when something has gone wrong: what
// happened before that is what one wants to know. It keeps at most so much of time, and at most so many bytes; of both, the
// older goes.
//
// Events lie one after the other in blocks, as the daemon sends them, and a block goes as a whole: so keeping an event is a copy of
// its bytes, and allocates a block now and then. It is pure; nobody tells it the time but the events.
package recent

import (
	"encoding/binary"
	"slices"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Events are the last ones. They are not safe for concurrent use.
type Events struct {
	span   int64 // nanoseconds
	most   int   // bytes of all blocks
	blocks []block
	bytes  int // of all blocks
}

// block is some events, the oldest first.
type block struct {
	buf  []byte
	last int64 // boot time of the last one that has a time
}

const (
	blockBytes = 64 << 10
	headBytes  = 28 // before each event
)

// Least is the smallest number of bytes that makes sense: two blocks.
const Least = 2 * blockBytes

// New keeps events of so many nanoseconds, in so many bytes.
func New(span int64, bytes int) *Events { return &Events{span: span, most: max(bytes, Least)} }

// Bytes is how much memory they take.
func (s *Events) Bytes() int { return s.bytes }

// Add adds an event, of which it keeps nothing but a copy. One that is longer than all that may be kept is left out, and then it
// reports false.
func (s *Events) Add(e *event.Event) bool {
	t := e.Tap()
	n := headBytes + t.Bytes()
	if n > s.most {
		return false
	}
	if last := len(s.blocks) - 1; last < 0 || len(s.blocks[last].buf)+n > cap(s.blocks[last].buf) {
		s.room(max(n, blockBytes))
	}
	b := &s.blocks[len(s.blocks)-1]
	b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(n))
	b.buf = binary.LittleEndian.AppendUint64(b.buf, e.Serial)
	for _, number := range [...]uint32{e.Bus, uint32(e.Kind), uint32(e.Condition), 0} {
		b.buf = binary.LittleEndian.AppendUint32(b.buf, number)
	}
	b.buf = wire.AppendTapEvent(b.buf, &t)
	if e.Boot != 0 {
		b.last = e.Boot
		s.forget(e.Boot)
	}
	return true
}

// room makes a block, and forgets the oldest for it. A block of the usual length is used again.
func (s *Events) room(n int) {
	var free []byte
	for s.bytes+n > s.most {
		free = s.drop()
	}
	if cap(free) != n {
		free = make([]byte, 0, n)
	}
	s.bytes += n
	s.blocks = append(s.blocks, block{buf: free[:0]})
}

func (s *Events) drop() []byte {
	old := s.blocks[0].buf
	s.bytes -= cap(old)
	s.blocks = slices.Delete(s.blocks, 0, 1)
	return old
}

// forget drops blocks of which nothing is young enough.
func (s *Events) forget(now int64) {
	for len(s.blocks) > 1 && now-s.blocks[0].last > s.span {
		s.drop()
	}
}

// Take gives all that is there, and begins anew: another goroutine may look at it while more is added here.
func (s *Events) Take() *Events {
	taken := *s
	s.blocks, s.bytes = nil, 0
	return &taken
}

// Each calls use with each event that is not older than the span before now, the oldest first. Name and Data are valid for the call.
func (s *Events) Each(now int64, use func(*event.Event) error) error {
	for _, b := range s.blocks {
		for at := 0; at < len(b.buf); {
			n := int(binary.LittleEndian.Uint32(b.buf[at:]))
			head, body := b.buf[at+4:at+headBytes], b.buf[at+headBytes:at+n]
			at += n
			var t wire.TapEvent
			if !wire.ParseTapEvent(body, &t) {
				panic("recent: an event of our own that is none")
			}
			e := event.FromTap(binary.LittleEndian.Uint32(head[12:]), message.Condition(head[16]), &t)
			e.Serial, e.Bus = binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint32(head[8:])
			if e.Boot != 0 && now-e.Boot > s.span {
				continue
			}
			if err := use(&e); err != nil {
				return err
			}
		}
	}
	return nil
}
