package bus

import (
	"math/bits"

	"kbus/message"
)

// A message's bytes are stored once, shared by all queues that hold it and counted by reference; the last one to let go
// gives them back. Freed stores are kept for reuse by size, up to keptBytes in all, so that a steady flow of messages
// allocates nothing and an idle bus holds little.

type stored struct {
	head    message.Header
	buf     []byte // name, then data; its capacity is a power of two
	body    []byte // the data, if it lies elsewhere
	kept    bool   // body lies with the Keeper
	lent    int    // Deliveries of a kept body that are not released
	nameLen int
	refs    int
	account *account // charged for it; nil for messages of the bus itself
	charge  int64
	aside   bool    // for Listeners only, see SendToListeners
	next    *stored // in a free list
}

func (m *stored) name() []byte { return m.buf[:m.nameLen] }
func (m *stored) data() []byte {
	if m.body != nil {
		return m.body
	}
	return m.buf[m.nameLen:]
}

const (
	smallestClass = 7  // 128 bytes
	largestClass  = 20 // 1 MiB; larger buffers are left to the garbage collector
	keptBytes     = 2 << 20
	perMessage    = 128 // bytes charged for a message beside its name and data
)

type store struct {
	free [largestClass + 1]*stored
	kept int
}

func class(n int) int { return max(smallestClass, bits.Len(uint(n-1))) }

// alloc gives a store with room for n bytes and no reference yet.
func (s *store) alloc(n int) *stored {
	c := class(n)
	if c > largestClass {
		return &stored{buf: make([]byte, n)}
	}
	m := s.free[c]
	if m == nil {
		return &stored{buf: make([]byte, n, 1<<c)}
	}
	s.free[c], m.next = m.next, nil
	s.kept -= cap(m.buf)
	m.buf = m.buf[:n]
	return m
}

// keep copies a message in. The caller has charged acct for it, see accounts.charge.
func (s *store) keep(h *message.Header, name, data []byte, acct *account) *stored {
	m := s.alloc(len(name) + len(data))
	m.head, m.nameLen = *h, len(name)
	copy(m.buf, name)
	copy(m.buf[len(name):], data)
	m.account, m.charge, m.aside = acct, 0, false
	if acct != nil {
		m.charge = charge(name, data)
	}
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
	b.accounts.discharge(m.account, m.charge)
	m.account = nil
	if m.kept {
		b.config.Keeper.Release(m.body)
	}
	m.body, m.kept = nil, false
	s, c := &b.store, class(cap(m.buf))
	if c > largestClass || s.kept+cap(m.buf) > keptBytes {
		return
	}
	s.kept += cap(m.buf)
	m.next, s.free[c] = s.free[c], m
}
