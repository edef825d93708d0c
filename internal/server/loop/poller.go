package loop

import "golang.org/x/sys/unix"

// A loop waits for one thing only, its epoll, which has all its descriptors: those of connections, the listening socket, the
// device, the alarm, and the bell by which other goroutines have the loop look at their jobs.

const eventsPerTurn = 64

// poller is what a loop waits for, and what has come.
type poller struct {
	epoll, bell int
	alarm       int // -1 until it is first set
	events      [eventsPerTurn]unix.EpollEvent
}

func (p *poller) control(op, fd int, events uint32, generation int32) error {
	return unix.EpollCtl(p.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd), Pad: generation})
}

// ring has the loop look at its jobs. It may be called by any goroutine that has the lock of the jobs.
func (p *poller) ring() {
	one := [8]byte{1} // any number but 0 will do, in either byte order
	unix.Write(p.bell, one[:])
}
