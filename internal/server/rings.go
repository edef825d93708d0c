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

// A connection whose Hello asks for rings gets a segment of shared memory, made and sealed by us, and from then on
// its frames go through that (package ring) instead of the socket. The socket stays: its end is the client's end. What
// wakes us is an eventfd of the connection's own, edge-triggered and never read, so that a client that rings without
// end has only its own turns spoilt. A client that sleeps is woken by an eventfd of its own, or by a byte in the socket
// if it has not asked for one; the eventfd is much cheaper.
//
// A ring is not level-triggered as a socket is: a turn that leaves requests in it must put the connection among those
// with work left, and one that has found nothing says so in the ring (Doze), after which the client rings.
type rings struct {
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	window  *window
	bell    int // ours
	theirs  int // the client's; -1: the socket is

	log     bool  // the client reads the log
	share   int   // the segment's descriptor until the client has been sent it, then -1
	changed bool  // there is something for the client to wake for
	begun   bool  // requests come through the ring
	closed  bool  // the client has closed its end of the socket
	spoiled error // what the client did that ends its connection
}

// windowSlots is how many messages a window shows at most.
const windowSlots = 512

var errChatter = errors.New("bytes in the socket of a connection that uses rings")

// outboxBytes is the ring to the bus of a client that also asks for the log: it is for sending what is too large for
// other rings, and memory of it that is not used is not there.
const outboxBytes = 512 << 10

// grant gives a Hello the rings that it asks for, if they are on and can be had. With them comes the log, which has
// everything large that anybody on the bus says: a bus with rules about who may read what must not grant it.
func (l *loop) grant(s *session.Session, wanted uint32) uint32 {
	if wanted&wire.FeatureRings == 0 || l.ringBytes == 0 {
		return 0
	}
	c := s.Tag.(*conn)
	granted := wanted & (wire.FeatureRings | wire.FeatureLog | wire.FeatureBell)
	if l.bodies == nil {
		granted &^= wire.FeatureLog
	}
	if err := l.makeRings(c, granted); err != nil {
		l.log.Warn("no rings for a connection", "reason", err, "pid", c.peer.PID, "uid", c.peer.UID)
		return 0
	}
	return granted
}

func (l *loop) makeRings(c *conn, granted uint32) error {
	log, bell := granted&wire.FeatureLog != 0, granted&wire.FeatureBell != 0
	n := uint32(l.ringBytes)
	up := n
	if log && c.session.Mode()&wire.ModeWrite != 0 && !l.accounts.muchBuffered(c.user) {
		up = max(up, outboxBytes)
	}
	segment, share, err := ring.Create(ring.Sizes{UpBytes: up, DownBytes: n, WindowBytes: n, WindowSlots: windowSlots})
	if err != nil {
		return err
	}
	r := &rings{segment: segment, share: share, theirs: -1, log: log}
	if r.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		r.bell = -1
		err = fmt.Errorf("eventfd: %w", err)
	} else if err = l.control(unix.EPOLL_CTL_ADD, r.bell, unix.EPOLLIN|unix.EPOLLET, c.generation); err != nil {
		err = fmt.Errorf("epoll: %w", err)
	}
	if bell && err == nil {
		if r.theirs, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
			r.theirs = -1
			err = fmt.Errorf("eventfd: %w", err)
		}
	}
	if err != nil {
		r.close()
		return err
	}
	var front *ring.Window
	r.reader, r.writer, front = segment.Daemon()
	r.window = &window{loop: l, conn: c, ring: front}
	if log {
		front.UseLog(l.bodies.log, l.bodies.mostHeld())
	}
	c.rings = r
	l.own(r.bell, c)
	if err := l.charge(c); err != nil { // it uses the socket, then
		l.dropRings(c)
		return err
	}
	return nil
}

// dropRings gives everything back. The bus must not ask the window any more.
func (l *loop) dropRings(c *conn) {
	if c.rings != nil {
		l.conns[c.rings.bell] = nil
		l.control(unix.EPOLL_CTL_DEL, c.rings.bell, 0, 0) // closing would not do it: the client has a copy
		c.rings.window.ring.DropBodies()
		c.rings.close()
		c.rings = nil
	}
}

// bytes is what rings are charged for.
func (r *rings) bytes() int64 {
	if r == nil {
		return 0
	}
	return int64(r.segment.Bytes())
}

func (r *rings) close() {
	r.segment.Close()
	for _, fd := range [...]int{r.bell, r.theirs, r.share} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// introduce sends the answer to the Hello through the socket, with the descriptors.
func (r *rings) introduce(fd int, out []byte, bodies *bodies) (int, unix.Errno) {
	rights := append(make([]int, 0, 4), r.share, r.bell)
	if r.log {
		rights = append(rights, bodies.log.Share())
	}
	if r.theirs >= 0 {
		rights = append(rights, r.theirs)
	}
	n, err := unix.SendmsgN(fd, out, unix.UnixRights(rights...), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		errno, _ := err.(unix.Errno)
		return 0, errno
	}
	unix.Close(r.share)
	r.share = -1
	return n, 0
}

// sendRing puts as much of out into the ring as there is room for; nudge then wakes the client, unless all of it is
// lazy. EAGAIN means that the client will ring when there is more room.
func (l *loop) sendRing(c *conn, out []byte) (int, unix.Errno) {
	r := c.rings
	for {
		n, err := r.writer.Post(out)
		if n < len(out) || c.session.Eager() {
			r.changed = true
		}
		if n == 0 && err == nil {
			var wait bool
			if wait, err = r.writer.Strand(); wait {
				return 0, unix.EAGAIN
			}
		}
		switch {
		case err != nil:
			l.spoil(c, err)
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

// wake rings the client's bell. One that takes no more is readable anyway, which is all that a bell is.
func (r *rings) wake(fd int) {
	one := [8]byte{1} // any number but 0 will do for an eventfd, in either byte order
	if r.theirs >= 0 {
		write(r.theirs, one[:])
	} else {
		send(fd, one[:1])
	}
}

// hear is called when something has happened in the socket of a connection with rings: its end, or a violation.
func (l *loop) hear(c *conn, events uint32) {
	var p [1]byte
	switch n, errno := receive(c.fd, p[:]); {
	case n > 0:
		l.spoil(c, errChatter)
	case errno == unix.EAGAIN && events&(unix.EPOLLHUP|unix.EPOLLERR) == 0, errno == unix.EINTR:
		return
	default:
		c.rings.closed, c.deaf, c.blocked = true, true, false // results that did not fit are dropped
		c.rings.reader.End()
	}
	l.turn(c, true)
}

// spoil notes that a client has broken the rules of its rings. It can be found out in somebody else's turn, so its
// connection ends in its own next one.
func (l *loop) spoil(c *conn, reason error) {
	if c.rings.spoiled == nil {
		c.rings.spoiled = reason
	}
	l.again(c)
}

// nudge wakes a client that sleeps, when there is something new for it.
func (l *loop) nudge(c *conn) {
	if r := c.rings; r != nil && r.changed && r.share < 0 {
		if r.changed = false; r.writer.Wake() {
			r.wake(c.fd)
		}
	}
}

// rung is called when the client has rung.
func (l *loop) rung(c *conn) {
	c.blocked = false
	if w := c.rings.window; w.wanting {
		w.wanting = false
		c.session.Took()
	}
	if !c.unfinished {
		l.turn(c, true)
	}
}
