package fuse

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The memory read is our own, as that of any process would be.
func TestMemory(t *testing.T) {
	page := unix.Getpagesize()
	two, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(two)
	if err := unix.Mprotect(two[page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	end := uint64(uintptr(unsafe.Pointer(&two[0]))) + uint64(page)
	copy(two[page-4:], "name")
	var m Memory
	for _, c := range []struct {
		tid  uint32
		addr uint64
		n    int
		ok   bool
	}{
		{uint32(unix.Gettid()), end - 4, 4, true},
		{uint32(unix.Gettid()), end - 4, 0, true},
		{uint32(unix.Gettid()), end - 4, 5, false}, // not all of it is there
		{uint32(unix.Gettid()), end, 1, false},
		{uint32(unix.Gettid()), 0, 1, false},
		{uint32(unix.Gettid()), 1<<64 - 2, 4, false},
		{0, end - 4, 4, false},
		{1 << 30, end - 4, 4, false}, // there is no such thread
	} {
		p := make([]byte, c.n)
		if ok := m.Read(c.tid, c.addr, p); ok != c.ok || ok && string(p) != "name"[:c.n] {
			t.Errorf("%+v: %v, %q", c, ok, p)
		}
	}
}
