package ring

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func memfd(t *testing.T, content []byte, size int64) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.Pwrite(fd, content, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	return fd
}

// layoutBytes is the beginning of a segment.
func layoutBytes(words ...uint32) (b []byte) {
	for _, w := range words {
		b = binary.NativeEndian.AppendUint32(b, w)
	}
	return b
}

// A client maps only what is laid out as it knows it, to the byte. It asks for no seals: the daemon that could cut the
// segment short could as well close the connection.
func TestMapRefusesForeigners(t *testing.T) {
	good := Layout{magic, version, Sizes{4096, 8192, 16384, 512}}
	whole := int64(good.bytes())
	words := []uint32{magic, version, 4096, 8192, 16384, 512}
	with := func(at int, v uint32) []byte {
		w := append([]uint32(nil), words...)
		w[at] = v
		return layoutBytes(w...)
	}
	for _, c := range []struct {
		name    string
		content []byte
		size    int64
		ok      bool
	}{
		{"as it should be", layoutBytes(words...), whole, true},
		{"empty", nil, 0, false},
		{"only the layout", layoutBytes(words...), 24, false},
		{"a byte short", layoutBytes(words...), whole - 1, false},
		{"a byte long", layoutBytes(words...), whole + 1, false},
		{"zeros", nil, whole, false},
		{"another magic", with(0, 1), whole, false},
		{"another version", with(1, 1), whole, false},
		{"not a power of two", with(2, 4097), whole, false},
		{"no ring", with(3, 0), whole, false},
		{"huge ring", with(4, 1<<31), whole, false},
		{"slots that wrap", with(5, 1<<29|512), whole, false},
		{"more slots than can be counted", with(5, 1<<15), whole, false},
	} {
		s, err := Map(memfd(t, c.content, c.size))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			s.Close()
		}
	}
	if _, err := Map(-1); err == nil {
		t.Error("no descriptor was mapped")
	}
	r, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := Map(int(r.Fd())); err == nil {
		t.Error("a pipe was mapped")
	}
}

// What the daemon makes can be neither shortened nor lengthened by whoever gets the descriptor, which closes on exec.
func TestSealed(t *testing.T) {
	s, fd, err := Create(Sizes{4096, 4096, 4096, 512})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer unix.Close(fd)
	for _, size := range []int64{0, int64(s.Bytes()) - 1, int64(s.Bytes()) + 1} {
		if err := unix.Ftruncate(fd, size); err != unix.EPERM {
			t.Errorf("to %d bytes: %v", size, err)
		}
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
}

// A segment that cannot be made leaves nothing, and neither does one that is closed.
func TestNoDescriptorOrMappingIsLeft(t *testing.T) {
	count := func() (descriptors, mapped int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries), strings.Count(string(maps), "memfd:kbus-ring")
	}
	descriptors, mapped := count()
	for range 100 {
		s, fd, err := Create(Sizes{4096, 4096, 4096, 512})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Map(fd)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		s.Close()
		c.Close()
		if _, _, err := Create(Sizes{4095, 4096, 4096, 512}); err == nil {
			t.Fatal("a ring of 4095 bytes was made")
		}
	}
	if d, m := count(); d > descriptors || m > mapped { // fewer: the collector has closed what an earlier test left
		t.Errorf("%d descriptors and %d mappings; there were %d and %d", d, m, descriptors, mapped)
	}
}
