package server

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"kbus/internal/ring"
	"kbus/internal/session"
	"kbus/internal/wire"
)

// A connection whose Hello asks for rings gets a segment of shared memory, made and sealed by us, and from then on its
// frames go through that (package ring) instead of the socket. The socket stays: its end is the client's end, and a byte
// that we put into it wakes a client that sleeps. What wakes us is an eventfd of the connection's own, edge-triggered and
// never read, so that a client that rings without end has only its own turns spoilt.
//
// A ring is not level-triggered as a socket is: a turn that leaves requests in it must put the connection among those with
// work left, and one that has found nothing says so in the ring (Doze), after which the client rings.
type rings struct {
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	bell    int

	share   int   // the segment's descriptor until the client has been sent it, then -1
	begun   bool  // requests come through the ring
	closed  bool  // the client has closed its end of the socket
	spoiled error // what the client did that ends its connection
}

// windowSlots is how many messages a window shows at most.
const windowSlots = 512

var errChatter = errors.New("bytes in the socket of a connection that uses rings")

// grant gives a Hello the rings that it asks for, if they are on and can be had.
func (l *loop) grant(s *session.Session, wanted uint32) uint32 {
	if wanted&wire.FeatureRings == 0 || l.ringBytes == 0 {
		return 0
	}
	c := s.Tag.(*conn)
	if err := l.makeRings(c); err != nil {
		l.log.Warn("no rings for a connection", "reason", err, "pid", c.peer.PID, "uid", c.peer.UID)
		return 0
	}
	return wire.FeatureRings
}

func (l *loop) makeRings(c *conn) error {
	n := uint32(l.ringBytes)
	segment, share, err := ring.Create(ring.Sizes{UpBytes: n, DownBytes: n, WindowBytes: n, WindowSlots: windowSlots})
	if err != nil {
		return err
	}
	r := &rings{segment: segment, share: share}
	if r.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		r.bell = -1
		err = fmt.Errorf("eventfd: %w", err)
	} else if err = l.control(unix.EPOLL_CTL_ADD, r.bell, unix.EPOLLIN|unix.EPOLLET, c.generation); err != nil {
		err = fmt.Errorf("epoll: %w", err)
	}
	if err != nil {
		r.close()
		return err
	}
	r.reader, r.writer, _ = segment.Daemon()
	c.rings = r
	l.own(r.bell, c)
	return nil
}

func (r *rings) close() {
	r.segment.Close()
	for _, fd := range [...]int{r.bell, r.share} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// introduce sends the answer to the Hello through the socket, with the two descriptors.
func (r *rings) introduce(fd int, out []byte) (int, unix.Errno) {
	rights := unix.UnixRights(r.share, r.bell)
	n, err := unix.SendmsgN(fd, out, rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		errno, _ := err.(unix.Errno)
		return 0, errno
	}
	unix.Close(r.share)
	r.share = -1
	return n, 0
}

// send puts as much of out into the ring as there is room for. EAGAIN means that the client will ring when there is more.
func (l *loop) sendRing(c *conn, out []byte) (int, unix.Errno) {
	r := c.rings
	for {
		n, wake, err := r.writer.Write(out)
		if wake {
			r.wake(c.fd)
		}
		if n == 0 && err == nil {
			var wait bool
			if wait, err = r.writer.Strand(); wait {
				return 0, unix.EAGAIN
			}
		}
		switch {
		case err != nil:
			r.spoiled = err
			return 0, unix.EPROTO
		case n > 0:
			return n, 0
		}
	}
}

// receiveRing is receive for a connection with rings.
func (l *loop) receiveRing(c *conn, p []byte) (n int, more bool, err error) {
	r := c.rings
	for r.spoiled == nil {
		n, wake, err := r.reader.Read(p)
		if wake {
			r.wake(c.fd)
		}
		switch {
		case n > 0 || err != nil:
			return n, true, err
		case r.closed:
			return 0, false, io.EOF
		case r.reader.Doze():
			return 0, false, nil
		}
	}
	return 0, false, r.spoiled
}

// wake rings the client's bell. A socket that takes no more bytes is readable anyway, which is all that a bell is.
func (r *rings) wake(fd int) {
	var one [1]byte
	send(fd, one[:])
}

// hear is called when something has happened in the socket of a connection with rings: its end, or a violation.
func (l *loop) hear(c *conn, events uint32) {
	var p [1]byte
	switch n, errno := receive(c.fd, p[:]); {
	case n > 0:
		c.rings.spoiled = errChatter
	case errno == unix.EAGAIN && events&(unix.EPOLLHUP|unix.EPOLLERR) == 0, errno == unix.EINTR:
		return
	default:
		c.rings.closed, c.deaf = true, true
	}
	l.turn(c, true)
}

// rung is called when the client has rung.
func (l *loop) rung(c *conn) {
	c.blocked = false
	if !c.unfinished {
		l.turn(c, true)
	}
}
