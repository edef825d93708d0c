package ring

import (
	"fmt"
	"math/bits"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Segment is the memory of one connection. The daemon makes it, and seals it so that it can never be made shorter: a
// client that cut it short could otherwise kill the daemon with a bus error. Only the daemon's segments are mapped by
// the daemon.
type Segment struct {
	mem []byte
	*control
	size             Layout // ours; the one in the segment can be scribbled over
	up, down, window []byte
	slots            []slot
}

// control is the first pages of a segment.
type control struct {
	layout    Layout
	_         [64 - unsafe.Sizeof(Layout{})]byte
	upWords   words
	downWords words
	window    windowWords
}

// Layout says how a segment is divided. All lengths are powers of two, in bytes. It stands at the beginning of the
// segment, for the client; the daemon goes by its own copy.
type Layout struct {
	Magic   uint32
	Version uint32
	Sizes
}

// Sizes are what can be chosen about a segment. All are powers of two.
type Sizes struct {
	UpBytes     uint32 // pipe to the bus
	DownBytes   uint32 // pipe from the bus
	WindowBytes uint32 // messages of the queue
	WindowSlots uint32 // how many of them at most
}

const (
	slotBytes = 8 // of a slot

	magic    = 0x6773626B // "kbsg"
	version  = 2
	minBytes = 4096
	maxBytes = 1 << 26
	minSlots = minBytes / slotBytes
	maxSlots = 1 << 14 // see windowWords

	controlBytes = (unsafe.Sizeof(control{}) + 63) &^ 63 // with 256 slots, one page in all
)

func (l Layout) check() error {
	for _, n := range [...]uint32{l.UpBytes, l.DownBytes, l.WindowBytes} {
		if n < minBytes || n > maxBytes || bits.OnesCount32(n) != 1 {
			return fmt.Errorf("ring of %d bytes: it must be a power of two from %d to %d", n, minBytes, maxBytes)
		}
	}
	if n := l.WindowSlots; n < minSlots || n > maxSlots || bits.OnesCount32(n) != 1 {
		return fmt.Errorf("window of %d messages: it must be a power of two from %d to %d", n, minSlots, maxSlots)
	}
	return nil
}

func (l Layout) bytes() int {
	return int(controlBytes) + int(l.WindowSlots*slotBytes) + int(l.UpBytes) + int(l.DownBytes) + int(l.WindowBytes)
}

// Create makes a segment and gives its descriptor, which is sealed against growing and shrinking and closes on exec.
// The descriptor is for the other side; this side may close it once it has been sent.
func Create(sizes Sizes) (s *Segment, fd int, err error) {
	l := Layout{magic, version, sizes}
	if err := l.check(); err != nil {
		return nil, -1, err
	}
	if fd, err = newMemfd("kbus-ring"); err != nil {
		return nil, -1, err
	}
	if err = unix.Ftruncate(fd, int64(l.bytes())); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		s, err = mapSegment(fd, l)
	}
	if err != nil {
		unix.Close(fd)
		return nil, -1, fmt.Errorf("segment of %d bytes: %w", l.bytes(), err)
	}
	s.layout = l
	return s, fd, nil
}

// newMemfd makes memory that has a descriptor, can be sealed, and closes on exec.
func newMemfd(name string) (fd int, err error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err = unix.MemfdCreate(name, flags|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // a kernel before 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	return fd, nil
}

// Map maps a segment that the daemon has sent. The descriptor may be closed afterwards.
func Map(fd int) (*Segment, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	var head [unsafe.Sizeof(Layout{})]byte
	if _, err := unix.Pread(fd, head[:], 0); err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	l := *(*Layout)(unsafe.Pointer(&head))
	if err := l.check(); err != nil {
		return nil, err
	}
	if l.Magic != magic || l.Version != version || st.Size != int64(l.bytes()) {
		return nil, fmt.Errorf("segment of %d bytes, magic %#x, version %d: not one that this library knows", st.Size, l.Magic, l.Version)
	}
	return mapSegment(fd, l)
}

func mapSegment(fd int, l Layout) (*Segment, error) {
	mem, err := unix.Mmap(fd, 0, l.bytes(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	s := &Segment{mem: mem, control: (*control)(unsafe.Pointer(&mem[0])), size: l}
	rest := mem[controlBytes:]
	cut := func(n uint32) []byte {
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	slots := cut(l.WindowSlots * slotBytes)
	s.slots = unsafe.Slice((*slot)(unsafe.Pointer(&slots[0])), l.WindowSlots)
	s.up, s.down, s.window = cut(l.UpBytes), cut(l.DownBytes), cut(l.WindowBytes)
	return s, nil
}

// Bytes is the length of the segment.
func (s *Segment) Bytes() int { return len(s.mem) }

// Close unmaps the segment. Nothing made from it may be used any more.
func (s *Segment) Close() error { return unix.Munmap(s.mem) }

// Daemon gives the daemon's ends: it reads what goes up, writes what goes down, and fills the window.
func (s *Segment) Daemon() (*Reader, *Writer, *Window) {
	return &Reader{shared: &s.upWords, data: s.up}, &Writer{shared: &s.downWords, data: s.down},
		&Window{shared: &s.control.window, slots: s.slots, own: make([]slot, len(s.slots)), data: s.window}
}

// Client gives the client's ends.
func (s *Segment) Client() (*Reader, *Writer, *Taker) {
	up := &Writer{shared: &s.upWords, data: s.up, shallow: max(uint32(len(s.down)), leastShallow)}
	return &Reader{shared: &s.downWords, data: s.down}, up,
		&Taker{shared: &s.control.window, slots: s.slots, data: s.window}
}
