package kbus

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus/internal/ring"
	"kbus/internal/wire"
)

// ringLink carries frames through memory shared with the daemon (package ring). The socket stays, for two things: its
// end is the end of the connection, and descriptors came through it. Both sides have an eventfd as their bell, which
// the other rings when they sleep. We wait for ours and for the socket together, in an epoll that sees the bell only
// when it is rung (edge-triggered), so that it is never read. Parking watches that epoll instead of the socket.
//
// All that is above the link, waiting for an answer too, is as with a socket.
type ringLink struct {
	*socketLink
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	taker   *ring.Taker
	log     *ring.LogView // nil: none was granted
	writing sync.Mutex    // around writer: the leader looks for room while others send
	waited  atomic.Bool   // somebody waits for what the window may show
	bell    int           // the daemon's
	ours    int
	epoll   int // of ours and the socket
	events  [2]unix.EpollEvent
}

func (l *socketLink) features() uint32 {
	if l.wantsRings {
		return wire.FeatureRings | wire.FeatureLog | wire.FeatureBell
	}
	return 0
}

func (l *socketLink) readRights(p []byte, flags int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4*4))
	n, oobn, _, _, err := unix.Recvmsg(l.fd, p, oob, flags|unix.MSG_CMSG_CLOEXEC)
	if err != nil || oobn == 0 {
		return n, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	for i := range messages {
		if fds, e := unix.ParseUnixRights(&messages[i]); e == nil {
			l.rights = append(l.rights, fds...)
		}
	}
	return n, err
}

// upgrade makes a ringLink of a socket whose Hello has been answered with the segment, the daemon's bell, perhaps the
// log, and our bell.
func (l *socketLink) upgrade(granted uint32) (link, error) {
	l.wantsRings = false
	wants := 3
	if granted&wire.FeatureLog != 0 {
		wants = 4
	}
	if granted&^wire.FeatureLog != wire.FeatureRings|wire.FeatureBell || len(l.rights) != wants {
		return nil, unexpected("features %d with %d descriptors", granted, len(l.rights))
	}
	m, err := ring.Map(l.rights[0])
	if err != nil {
		return nil, err
	}
	ours := l.rights[wants-1]
	epoll, err := watchBoth(ours, l.fd)
	if err != nil {
		m.Close()
		return nil, err
	}
	r := &ringLink{socketLink: l, segment: m, bell: l.rights[1], ours: ours, epoll: epoll}
	if wants == 4 {
		if r.log, err = ring.MapLog(l.rights[2]); err != nil {
			unix.Close(epoll)
			m.Close()
			return nil, err
		}
		unix.Close(l.rights[2])
	}
	unix.Close(l.rights[0])
	l.rights = nil
	l.parking.fd = epoll
	r.reader, r.writer, r.taker = m.Client()
	return r, nil
}

// watchBoth makes an epoll of a bell and a socket.
func watchBoth(bell, socket int) (epoll int, err error) {
	if epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return -1, err
	}
	for fd, events := range map[int]uint32{bell: unix.EPOLLIN | unix.EPOLLET, socket: unix.EPOLLIN} {
		if err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
			unix.Close(epoll)
			return -1, err
		}
	}
	return epoll, nil
}

func (l *ringLink) send(p []byte) (int, error) {
	l.writing.Lock()
	n, wake, err := l.writer.Write(p)
	l.writing.Unlock()
	if wake {
		l.ring()
	}
	return n, err
}

func (l *ringLink) recv(p []byte, room bool) (int, error) {
	for !l.poked.Load() {
		if n, err := l.take(p); n > 0 || err != nil {
			return n, err
		}
		if room {
			l.writing.Lock()
			wait, err := l.writer.Strand()
			l.writing.Unlock()
			if !wait || err != nil {
				return 0, err
			}
		}
		if l.toClaim() {
			return 0, nil
		}
		if !l.reader.Doze() {
			continue
		}
		if l.toClaim() {
			l.reader.Awake()
			return 0, nil
		}
		err := l.hear()
		l.reader.Awake()
		if err != nil {
			if n, _ := l.take(p); n > 0 { // what was sent before the end
				return n, nil
			}
			return 0, err
		}
		if room {
			return 0, nil
		}
	}
	l.poked.Store(false)
	return 0, nil
}

// toClaim reports whether there is something for somebody who waits for a message.
func (l *ringLink) toClaim() bool { return l.waited.Load() && (!l.taker.Empty() || l.taker.More()) }

func (l *ringLink) held() uint32 { return l.taker.Held() }

func (l *ringLink) release() (awaited bool) {
	if awaited = l.taker.Release(); awaited {
		l.ring()
	}
	return awaited
}

func (l *ringLink) empty() bool { return l.taker.Held() == 0 && l.taker.Empty() && !l.taker.More() }

func (l *ringLink) more() bool { return l.taker.More() }

func (l *ringLink) expect(message bool) { l.waited.Store(message) }

// take copies what has come.
func (l *ringLink) take(p []byte) (int, error) {
	n, wake, err := l.reader.Read(p)
	if wake {
		l.ring()
	}
	return n, err
}

// hear waits for our bell, or for no reason, and learns of the end.
func (l *ringLink) hear() error {
	l.shift.before()
	n, _, e := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events)),
		uintptr(len(l.events)), uintptr(soon/time.Millisecond), 0, 0)
	switch {
	case e == unix.EINTR:
		return nil
	case e != 0:
		return e
	case n == 0:
		return l.park(unix.POLLIN)
	}
	for i := range l.events[:n] {
		if l.events[i].Fd == int32(l.fd) { // nothing comes there any more but the end
			return io.EOF
		}
	}
	return nil
}

func (l *ringLink) ring() {
	unix.RawSyscall(unix.SYS_WRITE, uintptr(l.bell), uintptr(unsafe.Pointer(&one)), 8)
}

// one is what is added to an eventfd.
var one uint64 = 1

func (l *ringLink) hangUp() {
	l.socketLink.hangUp()
	l.unmap()
}

func (l *ringLink) drop() {
	l.socketLink.drop()
	l.unmap()
}

func (l *ringLink) unmap() {
	l.segment.Close()
	for _, fd := range [...]int{l.epoll, l.bell, l.ours} {
		unix.Close(fd)
	}
	if l.log != nil {
		l.log.Close()
	}
}
