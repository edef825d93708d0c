//go:build !interleave

package ring

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func newArena(t *testing.T, size int) *Arena {
	t.Helper()
	l, err := CreateArena(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Bodies of all sizes come and go in any order: none lies on another, all that is free can be used, and in the end
// nothing is left.
func TestArenaOffsets(t *testing.T) {
	const size = 2 * LeastArena
	l := newArena(t, size)
	view, err := MapArena(l.Share())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	type body struct {
		at    uint32
		bytes int
		fill  byte
		holds int
	}
	var live []body
	full, used := 0, 0
	pages := func(n int) int { return (n + arenaPageBytes - 1) / arenaPageBytes * arenaPageBytes }
	for i := range 30_000 {
		if rnd.IntN(2) == 0 {
			n := 1 + rnd.IntN(20*arenaPageBytes)
			if rnd.IntN(100) == 0 {
				n = size - rnd.IntN(arenaPageBytes)
			}
			kept := l.Store(bytes.Repeat([]byte{byte(i)}, n))
			if kept == nil {
				full++
				if used == 0 {
					t.Fatalf("an empty log has no place for %d bytes", n)
				}
				continue
			}
			at, ok := l.Offset(kept)
			if !ok || len(kept) != n {
				t.Fatalf("a body of %d bytes has %d, in the log: %v", n, len(kept), ok)
			}
			used += pages(n)
			live = append(live, body{at, n, byte(i), 1})
			continue
		}
		if len(live) == 0 {
			continue
		}
		at := rnd.IntN(len(live))
		b := &live[at]
		p, err := view.Body(uint64(b.at), b.bytes)
		if err != nil || !bytes.Equal(p, bytes.Repeat([]byte{b.fill}, b.bytes)) {
			t.Fatalf("the body at %d is spoilt: %v", b.at, err)
		}
		if rnd.IntN(3) == 0 {
			l.Retain(b.at)
			b.holds++
			continue
		}
		l.Release(b.at)
		if b.holds--; b.holds == 0 {
			used -= pages(b.bytes)
			live[at] = live[len(live)-1]
			live = live[:len(live)-1]
		}
		if l.Free() != size-used {
			t.Fatalf("%d bytes are free, not %d", l.Free(), size-used)
		}
	}
	for _, b := range live {
		for range b.holds {
			l.Release(b.at)
		}
	}
	if full == 0 || l.Free() != size || l.Store(make([]byte, size)) == nil {
		t.Errorf("full %d times; %d bytes of %d are free in the end, or cannot be used", full, l.Free(), size)
	}
}

// A client has only a descriptor, and none of what can be done with it changes a byte or the length of the arena.
func TestArenaCannotBeWritten(t *testing.T) {
	l := newArena(t, LeastArena)
	kept := l.Store([]byte("what everybody reads"))
	share := l.Share()
	for name, try := range map[string]func() error{
		"map to write": func() error {
			_, err := unix.Mmap(share, 0, LeastArena, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		},
		"protect to write": func() error {
			mem, err := unix.Mmap(share, 0, LeastArena, unix.PROT_READ, unix.MAP_SHARED)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Munmap(mem)
			return unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE)
		},
		"write":    func() error { _, err := unix.Pwrite(share, []byte("mine"), 0); return err },
		"truncate": func() error { return unix.Ftruncate(share, 0) },
		"punch": func() error {
			return unix.Fallocate(share, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, LeastArena)
		},
		"seal": func() error {
			_, err := unix.FcntlInt(uintptr(share), unix.F_ADD_SEALS, unix.F_SEAL_WRITE)
			return err
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: it can be done", name)
		}
		writable, err := unix.Open("/proc/self/fd/"+strconv.Itoa(share), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		was := share
		share = writable
		if err := try(); err == nil {
			t.Errorf("%s: it can be done after opening it anew to write", name)
		}
		share = was
		unix.Close(writable)
	}
	if string(kept) != "what everybody reads" {
		t.Errorf("the log says %q", kept)
	}
}

func TestArenaBounds(t *testing.T) {
	for _, size := range []int{0, 1, LeastArena - 1, LeastArena + 1, MostArena + LeastArena} {
		if l, err := CreateArena(size); err == nil {
			l.Close()
			t.Errorf("there is a log of %d bytes", size)
		}
	}
	l := newArena(t, LeastArena)
	view, err := MapArena(l.Share())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	for _, c := range []struct {
		at uint64
		n  int
	}{{LeastArena, 1}, {LeastArena - 1, 2}, {1 << 63, 1}, {1<<64 - 1, 2}, {0, LeastArena + 1}, {8, math.MaxInt}} {
		if _, err := view.Body(c.at, c.n); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes at %d: %v", c.n, c.at, err)
		}
	}
	if p, err := view.Body(LeastArena-1, 1); err != nil || len(p) != 1 {
		t.Errorf("the last byte: %v", err)
	}
	for _, body := range [][]byte{nil, {}, make([]byte, LeastArena+1)} {
		if l.Store(body) != nil {
			t.Errorf("%d bytes have a place", len(body))
		}
		if at, ok := l.Offset(body); ok {
			t.Errorf("%d bytes of elsewhere lie at %d", len(body), at)
		}
	}
}
