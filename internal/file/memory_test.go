package file_test

import (
	"sort"

	"kbus.example/kbus/message"
)

// memory is a program's memory: blocks of bytes, far apart, with nothing readable between them.
type memory struct {
	blocks []block // by ascending address
	next   uint64
}

type block struct {
	addr  uint64
	bytes []byte
}

// Place makes room for a copy of b and tells its address.
func (m *memory) Put(b []byte) uint64 {
	m.next += 1 << 20
	m.blocks = append(m.blocks, block{m.next, append([]byte{}, b...)})
	return m.next
}

// at gives the n bytes at addr, or nil if they are not all there.
func (m *memory) at(addr uint64, n int) []byte {
	i := sort.Search(len(m.blocks), func(i int) bool { return m.blocks[i].addr > addr }) - 1
	if i < 0 || addr-m.blocks[i].addr+uint64(n) > uint64(len(m.blocks[i].bytes)) {
		return nil
	}
	return m.blocks[i].bytes[addr-m.blocks[i].addr:][:n]
}

// ReadAt is file.Memory.
func (m *memory) ReadAt(addr uint64, p []byte) message.Condition {
	b := m.at(addr, len(p))
	if b == nil {
		return message.ErrBadAddress
	}
	copy(p, b)
	return message.OK
}
