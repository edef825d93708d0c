package transport

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poller waits for a socket in the runtime's poller, which costs neither a thread nor any time however long it takes.
// The poller never sees the socket itself: whatever arrived there would wake it up, even if it is received in a
// quicker way. It sees an epoll that watches the socket only while somebody waits here. (Only then: an end of the
// connection that happened while it still watched would be told once, to nobody, and never again.)
type poller struct {
	fd    int // the socket, or what stands for it
	epoll int
	file  *os.File        // epoll, as the runtime knows it
	raw   syscall.RawConn // of file
	poked atomic.Bool

	events   uint32 // of the park that is under way
	watching bool
	failed   error
	watch    func(uintptr) bool
}

// open makes a poller for a socket.
func (p *poller) open(fd int) error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	p.fd, p.epoll = fd, epoll
	if err = unix.SetNonblock(epoll, true); err != nil { // so that os.NewFile gives it to the poller
		unix.Close(epoll)
		return err
	}
	p.file = os.NewFile(uintptr(epoll), "kbus")
	p.watch = p.watchOnce
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // it fails unless the poller has it
	}
	if err != nil {
		p.file.Close()
	}
	return err
}

func (p *poller) close() { p.file.Close() }

// park waits until one of the events or Poke.
func (p *poller) park(events uint32) error {
	if err := p.file.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if p.poked.Load() { // before the deadline was taken back
		return nil
	}
	p.events, p.watching, p.failed = events, false, nil
	err := p.raw.Read(p.watch)
	if p.watching && p.failed == nil {
		p.failed = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, p.fd, nil)
	}
	if p.failed != nil {
		return p.failed
	}
	if os.IsTimeout(err) {
		err = nil
	}
	return err
}

// watchOnce is called by the runtime when it is ready to be told of events, and again when there was one.
func (p *poller) watchOnce(uintptr) (done bool) {
	if p.watching {
		return true
	}
	p.watching = true
	p.failed = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, p.fd, &unix.EpollEvent{Events: p.events})
	return p.failed != nil
}

// Poke ends the park that is under way, or the next one.
func (p *poller) Poke() {
	p.poked.Store(true)
	p.file.SetReadDeadline(time.Unix(1, 0)) // it fails only after close, when nobody parks
}
