package ring

import (
	"fmt"
	"math/bits"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Arena is memory that the daemon writes and all clients of a bus map to read. The body of a large message lies there
// once, and the windows of all who get it say where, so that it is copied neither into each window nor through the
// daemon's sockets.
//
// It is cut into pages, and a body takes as many neighbouring ones as it needs, the first such place from the
// beginning: what is used lately is used again, and a slow reader keeps its own pages and nothing behind them. A place
// is held by the bus as long as a queue has the message, and by each window from when it shows the message until its
// client has finished with it (see Window.StageBody); with the last of them it is free. Nobody ever waits for it: who
// finds no place keeps the body elsewhere.
//
// Clients cannot write to it: F_SEAL_FUTURE_WRITE leaves the daemon's own mapping as the only one that can, and their
// descriptor is open for reading only. But who maps it can read all of it, also what is for others.
type Arena struct {
	mem   []byte
	share int
	used  []uint64 // a bit for each page
	holds []hold   // by first page
	free  int      // pages
}

// hold is one place: its length, and how many hold it.
type hold struct{ pages, times uint32 }

const (
	arenaPageBytes = 4 << 10

	// LeastArena and MostArena bound the size of an arena, which is a multiple of LeastArena.
	LeastArena = 64 * arenaPageBytes
	// On a machine of 32 bits MostArena leaves addresses for other things.
	MostArena = 1 << 30 << (strconv.IntSize / 64)
)

// CreateArena makes an arena. It is not resident before it is used.
func CreateArena(size int) (*Arena, error) {
	if size < LeastArena || size > MostArena || size%LeastArena != 0 {
		return nil, fmt.Errorf("log of %d bytes: it must be a multiple of %d, up to %d", size, LeastArena, MostArena)
	}
	fd, err := newMemfd("kbus-arena")
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err = unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, fmt.Errorf("log of %d bytes: %w", size, err)
	}
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("log of %d bytes: %w", size, err)
	}
	share, err := seal(fd)
	if err != nil {
		unix.Munmap(mem)
		return nil, fmt.Errorf("log: %w", err)
	}
	pages := size / arenaPageBytes
	return &Arena{mem: mem, share: share, used: make([]uint64, pages/64), holds: make([]hold, pages), free: pages}, nil
}

// seal makes a descriptor of the arena that can only be read from, and leaves no way to get one that can do more.
func seal(fd int) (share int, err error) {
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_FUTURE_WRITE | unix.F_SEAL_SEAL
	if _, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return -1, fmt.Errorf("seal: %w", err)
	}
	share, err = unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open for reading: %w", err)
	}
	return share, nil
}

// Share is the descriptor for clients. It stays ours.
func (l *Arena) Share() int { return l.share }

// Bytes is the length of the arena.
func (l *Arena) Bytes() int { return len(l.mem) }

// Free is how much of it is free.
func (l *Arena) Free() int { return l.free * arenaPageBytes }

// Close unmaps the arena. What clients have mapped stays until they unmap it.
func (l *Arena) Close() error {
	unix.Close(l.share)
	return unix.Munmap(l.mem)
}

// Store copies a body to a place in the arena, held once. It gives nil when there is none.
func (l *Arena) Store(body []byte) []byte {
	n := (len(body) + arenaPageBytes - 1) / arenaPageBytes
	page := l.find(n)
	if page < 0 {
		return nil
	}
	l.mark(page, n)
	l.holds[page] = hold{uint32(n), 1}
	l.free -= n
	at := page * arenaPageBytes
	kept := l.mem[at : at+len(body) : at+len(body)]
	copy(kept, body)
	return kept
}

// Offset says where in the arena a body lies; ok is false for one that lies elsewhere.
func (l *Arena) Offset(body []byte) (at uint32, ok bool) {
	offset := uintptr(unsafe.Pointer(unsafe.SliceData(body))) - uintptr(unsafe.Pointer(&l.mem[0]))
	return uint32(offset), len(body) > 0 && offset < uintptr(len(l.mem))
}

// Retain holds a place once more.
func (l *Arena) Retain(at uint32) { l.holds[at/arenaPageBytes].times++ }

// Release takes one Store or Retain back.
func (l *Arena) Release(at uint32) {
	page := int(at / arenaPageBytes)
	h := &l.holds[page]
	if h.times == 0 {
		panic(fmt.Sprintf("ring: nobody holds the place at %d", at))
	}
	if h.times--; h.times == 0 {
		l.free += int(h.pages)
		l.mark(page, int(h.pages))
	}
}

// find gives the first of n free pages in a row, or -1.
func (l *Arena) find(n int) int {
	if n == 0 || n > l.free {
		return -1
	}
	for start := 0; start+n <= len(l.holds); {
		if taken := bits.TrailingZeros64(^(l.used[start/64] >> (start % 64))); taken > 0 {
			start += taken
			continue
		}
		end := start
		for end < start+n && end < len(l.holds) {
			rest := 64 - end%64
			run := min(bits.TrailingZeros64(l.used[end/64]>>(end%64)), rest)
			if end += run; run < rest {
				break
			}
		}
		if end >= start+n {
			return start
		}
		start = end
	}
	return -1
}

// mark turns n pages from free to used, or back.
func (l *Arena) mark(page, n int) {
	for n > 0 {
		here := min(64-page%64, n)
		l.used[page/64] ^= (1<<here - 1) << (page % 64)
		page, n = page+here, n-here
	}
}
