package bus

import (
	"math/bits"

	"kbus.example/kbus/message"
)

// A message's bytes are stored once, shared by all queues that hold it and counted by reference; the last one to let go
// gives them back. Freed stores are kept for reuse by size, up to keptBytes in all, so that a steady flow of messages
// allocates nothing and an idle bus holds little.

type stored struct {
	head message.Header
	buf  []byte // name, then data; and beyond its length the trace context
	body []byte // the data, if it lies elsewhere
	lengths
	refs int32
	elsewhere
	audience audience
	class    uint8 // of buf; 0: none
	holders
	next *stored // in a free list
}

// lengths are those in buf; the rest is data. So the ways of most messages know nothing of trace contexts.
type lengths struct{ nameLen, traceLen uint16 }

// elsewhere is where body lies.
type elsewhere struct {
	lent     int32 // Deliveries of a kept body that are not released
	kept     bool  // it lies with the Keeper
	wasKept  bool  // or did
	borrowed bool  // it lies in the State that the bus was made from
}

func (m *stored) name() []byte { return m.buf[:m.nameLen] }
func (m *stored) data() []byte {
	if m.body != nil {
		return m.body
	}
	return m.buf[m.nameLen:]
}

func (m *stored) trace() []byte {
	if m.traceLen == 0 {
		return nil
	}
	n := len(m.buf)
	return m.buf[n : n+int(m.traceLen)]
}

// Buffers have sizes in eight steps from each power of two to the next, so that at most an eighth is left over.
const (
	smallestClass = 5 << 3           // 32 bytes
	largestClass  = 20 << 3          // 1 MiB; larger buffers are left to the garbage collector
	classes       = largestClass + 1 // the first are not used
	keptBytes     = 2 << 20
)

type store struct {
	free [classes]*stored
	kept int
	left int64 // bytes left to the garbage collector, see Left

	borrowed []*stored    // some of them may have been released, and used again
	entries  *pool[entry] // for all queues
}

// class is the smallest that n bytes fit into.
func class(n int) int {
	if n <= 32 {
		return smallestClass
	}
	power := bits.Len(uint(n-1)) - 1
	return power<<3 + (n-1)>>(power-3)&7 + 1
}

// classBytes is the size of a class.
func classBytes(class int) int { return (8 + class&7) << (class>>3 - 3) }

// alloc gives a store with room for n bytes and no reference yet.
func (s *store) alloc(n int) *stored {
	c := class(n)
	if c > largestClass {
		return &stored{buf: make([]byte, n)}
	}
	m := s.free[c]
	if m == nil {
		return &stored{buf: make([]byte, n, classBytes(c)), class: uint8(c)}
	}
	s.free[c], m.next = m.next, nil
	s.kept -= cap(m.buf)
	m.buf = m.buf[:n]
	return m
}

// keep copies a message in.
func (s *store) keep(h *message.Header, name, data []byte) *stored {
	m := s.alloc(len(name) + len(data))
	m.head = *h
	m.nameLen, m.traceLen = uint16(len(name)), 0
	copy(m.buf, name)
	copy(m.buf[len(name):], data)
	m.audience, m.wasKept = everybody, false
	return m
}

// keepTraced is keep for a message with a trace context.
func (s *store) keepTraced(h *message.Header, name, data, trace []byte) *stored {
	m := s.alloc(len(name) + len(data) + len(trace))
	m.head, m.lengths = *h, lengths{uint16(len(name)), uint16(len(trace))}
	n := copy(m.buf, name)
	n += copy(m.buf[n:], data)
	copy(m.buf[n:], trace)
	m.buf = m.buf[:n]
	m.audience, m.wasKept = everybody, false
	return m
}

// release gives up one reference.
func (b *Bus) release(m *stored) {
	m.refs--
	if m.refs > 0 {
		return
	}
	if m.refs < 0 {
		panic("bus: message released twice")
	}
	if m.holder.account != nil || len(m.more) > 0 {
		panic("bus: a message that nobody refers to is charged to somebody")
	}
	s, c := &b.store, m.class
	if m.kept {
		b.config.Keeper.Release(m.body)
	} else if !m.borrowed {
		s.left += int64(cap(m.body)) // moved out of there
	}
	m.body, m.kept, m.borrowed = nil, false, false
	if c == 0 || s.kept+cap(m.buf) > keptBytes {
		s.left += int64(cap(m.buf)) + perMessage
		return
	}
	s.kept += cap(m.buf)
	m.next, s.free[c] = s.free[c], m
}

// Left gives how many bytes have been left to the garbage collector since the last call, if those are so many or more,
// and else 0: the owner of the bus may want to see to it that a burst does not stay in memory.
func (b *Bus) Left(least int64) int64 {
	n := b.store.left
	if n < least {
		return 0
	}
	b.store.left = 0
	return n
}
