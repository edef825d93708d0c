package gauge

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// page is the memory that all processes of a measurement share. Numbers in it only grow. A process that waits for one
// to grow sleeps on one of the two words, and the process that makes it grow wakes it; neither looks at a clock
// meanwhile.
type page struct {
	ready  atomic.Uint32 // clients that can begin; the measuring process sleeps on it
	bell   atomic.Uint32 // the producer sleeps on it
	failed atomic.Uint32 // a process has given up
	_      uint32

	target atomic.Uint64 // the producer sleeps until every consumer has that many; 0 when it does not sleep
	_      [40]byte

	consumers [MaxConsumers]struct {
		got atomic.Uint64
		_   [56]byte // so that consumers do not slow each other down
	}
}

const pageBytes = int(unsafe.Sizeof(page{}))

// newPage makes the memory, and a descriptor for the processes to come.
func newPage() (*page, *os.File, error) {
	fd, err := unix.MemfdCreate("kbus-gauge", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, fmt.Errorf("memfd: %w", err)
	}
	file := os.NewFile(uintptr(fd), "kbus-gauge")
	if err := file.Truncate(int64(pageBytes)); err != nil {
		file.Close()
		return nil, nil, err
	}
	p, err := mapPage(file)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return p, file, nil
}

func mapPage(file *os.File) (*page, error) {
	b, err := unix.Mmap(int(file.Fd()), 0, pageBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return (*page)(unsafe.Pointer(unsafe.SliceData(b))), nil
}

func (p *page) unmap() {
	unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(p)), pageBytes))
}

// isReady says that one more client can begin.
func (p *page) isReady() {
	p.ready.Add(1)
	futexWake(&p.ready)
}

// fail says that the measurement cannot end well.
func (p *page) fail() {
	p.failed.Store(1)
	p.bell.Add(1)
	futexWake(&p.bell)
	futexWake(&p.ready)
}

// took counts a message, and gives the count.
func (p *page) counted(consumer int) uint64 {
	n := p.consumers[consumer].got.Add(1)
	if target := p.target.Load(); target != 0 && n >= target {
		p.bell.Add(1)
		futexWake(&p.bell)
	}
	return n
}

// slowest is how many messages every one of the consumers has.
func (p *page) slowest(consumers int) uint64 {
	least := p.consumers[0].got.Load()
	for i := range p.consumers[1:consumers] {
		least = min(least, p.consumers[i+1].got.Load())
	}
	return least
}

const (
	futexOpWait = 0
	futexOpWake = 1
)

// futexWait sleeps while the word has that value: until it is woken, for d at most.
func futexWait(word *atomic.Uint32, value uint32, d time.Duration) {
	limit := unix.NsecToTimespec(int64(d))
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWait, uintptr(value),
		uintptr(unsafe.Pointer(&limit)), 0, 0)
}

func futexWake(word *atomic.Uint32) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWake, 1<<30, 0, 0, 0)
}
