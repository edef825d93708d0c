package loop

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/wire"
)

// A connection whose Hello asks for rings gets a segment of shared memory, made and sealed by us, and from then on
// its frames go through that (package ring) instead of the socket. The socket stays: its end is the client's end. What
// wakes us is an eventfd of the connection's own, edge-triggered and never read, so that a client that rings without
// end has only its own turns spoilt.
//
// A client that sleeps is woken by an eventfd too, but it is not given that. Whoever has the same descriptor can fill it
// and have writes to it wait, ours included. A pipe, of which the client has but one end, is no better: it has a lock
// that a reader holds while what it reads is copied to memory that need not be there (memory over FUSE, or with
// userfaultfd), and a write waits for that whatever its flags are. So the eventfd is ours alone, and what the client
// has is an epoll in which we have put it. It can wait for that and do with it what it likes: what we do, adding to a
// number that nobody reads, comes by no lock that can be held from outside. A client that would rather have bytes in its
// socket gets those, which is slower.
//
// A ring is not level-triggered as a socket is: a turn that leaves requests in it must put the connection among those
// with work left, and one that has found nothing says so in the ring (Doze), after which the client rings.
type rings struct {
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	window  *window
	handles

	arena   bool  // the client reads the arena
	changed bool  // there is something for the client to wake for
	awake   bool  // it need not ring, see awake.go
	begun   bool  // requests come through the ring
	closed  bool  // the client has closed its end of the socket
	spoiled error // what the client did that ends its connection
}

// handles are the descriptors of rings; -1 is none.
type handles struct {
	bell       int  // ours
	theirs     int  // rings the client's; -1: the socket does
	hearing    int  // the client's: the epoll that hears theirs; -1: there is none, or the client has been sent it
	share      int  // the segment's, which is kept for a daemon that takes over
	introduced bool // the client has been sent what is for it
}

// windowSlots is how many messages a window shows at most.
const windowSlots = 512

var errChatter = errors.New("bytes in the socket of a connection that uses rings")

// outboxBytes is the ring to the bus of a client that also asks for the arena: it is for sending what is too large for
// other rings, and memory of it that is not used is not there.
const outboxBytes = 512 << 10

// SmallRing is the most that a ring of a connection has when much of what may be buffered is in use already: somebody
// with very many connections gets rings for more of them, and large rings for as many as it pays.
const SmallRing = 64 << 10

// grant gives a Hello the rings that it asks for, if they are on and can be had. With them comes the arena, which has
// everything large that anybody on the bus says: a bus with rules does not grant it.
func (l *Loop) grant(s *session.Session, wanted uint32) uint32 {
	if wanted&wire.FeatureRings == 0 || l.ringBytes == 0 {
		return 0
	}
	c := s.Tag.(*conn)
	granted := wanted & (wire.FeatureRings | wire.FeatureArena | wire.FeatureSocketBell)
	if l.bodies == nil || l.bodies.closed {
		granted &^= wire.FeatureArena
	}
	if err := l.makeRings(c, granted); err != nil {
		l.log.Warn("no rings for a connection", "reason", err, "pid", c.peer.PID, "uid", c.peer.UID)
		return 0
	}
	l.spend(c.user, ringsWork)
	return granted
}

func (l *Loop) makeRings(c *conn, granted uint32) error {
	log := granted&wire.FeatureArena != 0
	n, cramped := uint32(l.ringBytes), l.accounts.muchBuffered(c.user)
	if cramped {
		n = min(n, SmallRing)
	}
	up := n
	if log && c.session.Mode()&wire.ModeWrite != 0 && !cramped {
		up = max(up, outboxBytes)
	}
	segment, share, err := ring.Create(ring.Sizes{UpBytes: up, DownBytes: n, WindowBytes: n, WindowSlots: windowSlots})
	if err != nil {
		return err
	}
	r := &rings{segment: segment, handles: handles{share: share, bell: -1, theirs: -1, hearing: -1}, arena: log}
	if err := l.makeBells(r, c.generation, granted&wire.FeatureSocketBell != 0); err != nil {
		r.close()
		return err
	}
	var front *ring.Window
	r.reader, r.writer, front = segment.Daemon()
	r.window = &window{loop: l, conn: c, ring: front}
	if log {
		front.UseArena(l.bodies.arena, l.bodies.mostHeld())
	}
	c.rings = r
	l.own(r.bell, c)
	if err := l.charge(c); err != nil { // it uses the socket, then
		l.dropRings(c)
		return err
	}
	return nil
}

// makeBells makes ours and the client's.
func (l *Loop) makeBells(r *rings, generation int32, inSocket bool) (err error) {
	if r.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err = l.control(unix.EPOLL_CTL_ADD, r.bell, unix.EPOLLIN|unix.EPOLLET, generation); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if inSocket {
		return nil
	}
	if r.theirs, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if r.hearing, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wire.BellEvent, Pad: wire.BellEvent}
	if err = unix.EpollCtl(r.hearing, unix.EPOLL_CTL_ADD, r.theirs, &e); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// dropRings gives back what the client has not been told of.
func (l *Loop) dropRings(c *conn) {
	r := c.rings
	l.forgetRings(c)
	r.close()
	c.rings = nil
}

// forgetRings gives everything back but the descriptors. The bus must not ask the window any more.
func (l *Loop) forgetRings(c *conn) {
	if r := c.rings; r != nil {
		l.conns[r.bell] = nil
		l.control(unix.EPOLL_CTL_DEL, r.bell, 0, 0) // closing would not do it: the client has a copy
		r.window.ring.DropBodies()
		r.segment.Close()
	}
}

// bytes is what rings are charged for.
func (r *rings) bytes() int64 {
	if r == nil {
		return 0
	}
	return int64(r.segment.Bytes())
}

func (r *rings) close() { closeAll([]int{r.bell, r.theirs, r.hearing, r.share}) }

// introduce sends the answer to the Hello through the socket, with the descriptors.
func (r *rings) introduce(fd int, out []byte, bodies *bodies, handing *sync.WaitGroup) (int, unix.Errno) {
	rights := append(make([]int, 0, 4), r.share, r.bell)
	if r.arena {
		rights = append(rights, bodies.arena.Share())
	}
	if r.hearing >= 0 {
		rights = append(rights, r.hearing)
	}
	n, err := unix.SendmsgN(fd, out, unix.UnixRights(rights...), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		errno, _ := err.(unix.Errno)
		return 0, errno
	}
	sent := []int{r.hearing}
	r.hearing, r.introduced = -1, true
	handing.Go(func() { closeAll(sent) })
	return n, 0
}

// sendRing puts as much of out into the ring as there is room for; nudge then wakes the client, unless all of it is
// lazy. EAGAIN means that the client will ring when there is more room.
func (l *Loop) sendRing(c *conn, out []byte) (int, unix.Errno) {
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
func (l *Loop) receiveRing(c *conn, p []byte) (n int, more bool, err error) {
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
		case l.doze(c):
			return 0, false, nil
		}
	}
	return 0, false, r.spoiled
}

// wake rings the client's bell. A socket that takes no more is readable anyway.
func (r *rings) wake(fd int) {
	if r.theirs < 0 {
		send(fd, []byte{1})
		return
	}
	one := uint64(1) // nobody takes it back, and 2^64 is for ever
	add(r.theirs, &one)
}

// checkSocket is called when something has happened in the socket of a connection with rings: its end, or a violation.
func (l *Loop) checkSocket(c *conn, events uint32) {
	var p [1]byte
	switch n, errno := l.receiveSocket(c, p[:]); {
	case n > 0:
		l.spoil(c, errChatter)
	case n < 0:
		l.spoil(c, errDescriptorsSent)
	case errno == unix.EAGAIN && events&(unix.EPOLLHUP|unix.EPOLLERR) == 0, errno == unix.EINTR:
		return
	default:
		c.rings.closed, c.blocked = true, false // results that did not fit are dropped
		l.deafen(c)
		c.rings.reader.End()
	}
	l.turn(c, true)
}

// spoil notes that a client has broken the rules of its rings. It can be found out in somebody else's turn, so its
// connection ends in its own next one.
func (l *Loop) spoil(c *conn, reason error) {
	if c.rings.spoiled == nil {
		c.rings.spoiled = reason
	}
	l.again(c)
}

// nudge wakes a client that sleeps, when there is something new for it, and reports whether it has.
func (l *Loop) nudge(c *conn) bool {
	r := c.rings
	if r == nil || !r.changed || !r.introduced {
		return false
	}
	r.changed = false
	if !r.writer.Wake() {
		return false
	}
	r.wake(c.fd)
	return true
}

// asks reports whether there are requests in the ring.
func (r *rings) asks() bool {
	some, _, err := r.reader.Peek()
	return len(some) > 0 || err != nil
}

// rung is called when the client has rung.
func (l *Loop) rung(c *conn) {
	c.blocked = false
	if c.resumed {
		if !c.rings.asks() { // the bell has been rung long ago, as all of them have
			return
		}
		comeBack(c)
	}
	if w := c.rings.window; w.wanting {
		w.wanting = false
		c.session.WindowTaken()
	}
	if !c.unfinished && !c.putOff {
		l.turn(c, true)
	}
}
