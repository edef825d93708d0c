package transport

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/wire"
)

// rings is a Link that carries frames through memory shared with the daemon (package ring). The socket stays, for two things: its
// end is the end of the connection, and descriptors came through it. Both sides have a bell, which the other rings when
// they sleep: the daemon's is an eventfd, ours an epoll that hears one. We wait for ours and for the socket together,
// since that epoll can watch the socket too. It hears the bell only when it is rung (edge-triggered), so there is nothing
// to read. The poller watches that epoll instead of the socket.
type rings struct {
	*Socket
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	taker   *ring.Taker
	arena   *ring.ArenaView // nil: none was granted
	writing sync.Mutex      // around writer: the receiver looks for room while others send
	waited  atomic.Bool     // somebody waits for what the window may show
	bell    int             // the daemon's
	epoll   int             // our bell, and the socket in it
	events  [2]unix.EpollEvent
}

func (l *Socket) Features() uint32 {
	if l.wantsRings {
		return wire.FeatureRings | wire.FeatureArena
	}
	return 0
}

func (l *Socket) readRights(p []byte, flags int) (int, error) {
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

// Upgrade makes rings of a socket whose Hello has been answered with the segment, the daemon's bell, perhaps the
// log, and our bell.
func (l *Socket) Upgrade(granted uint32) (Link, error) {
	l.wantsRings = false
	wants := 3
	if granted&wire.FeatureArena != 0 {
		wants = 4
	}
	if granted&^wire.FeatureArena != wire.FeatureRings || len(l.rights) != wants {
		return nil, unexpected("features %d with %d descriptors", granted, len(l.rights))
	}
	m, err := ring.Map(l.rights[0])
	if err != nil {
		return nil, errors.Join(ErrCramped, err)
	}
	r := &rings{Socket: l, segment: m, bell: l.rights[1], epoll: l.rights[wants-1]}
	socket := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(l.fd)}
	if err = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, l.fd, &socket); err != nil {
		m.Close()
		return nil, err
	}
	if wants == 4 {
		if r.arena, err = ring.MapArena(l.rights[2]); err != nil {
			m.Close()
			return nil, errors.Join(ErrCramped, err)
		}
		unix.Close(l.rights[2])
	}
	unix.Close(l.rights[0])
	l.rights = nil
	l.poller.fd = r.epoll
	r.reader, r.writer, r.taker = m.Client()
	return r, nil
}

func (l *rings) Send(p []byte) (int, error) {
	l.writing.Lock()
	n, wake, err := l.writer.Write(p)
	l.writing.Unlock()
	if wake {
		l.ring()
	}
	return n, err
}

func (l *rings) Recv(p []byte, room bool) (int, error) {
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
		if l.toTake() {
			return 0, nil
		}
		if !l.reader.Doze() {
			continue
		}
		if l.toTake() {
			l.reader.Awake()
			return 0, nil
		}
		err := l.wait()
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

// take copies what has come.
func (l *rings) take(p []byte) (int, error) {
	n, wake, err := l.reader.Read(p)
	if wake {
		l.ring()
	}
	return n, err
}

// wait waits for our bell, or for no reason, and learns of the end.
func (l *rings) wait() error {
	began := l.turn.before()
	n, err := 0, error(nil)
	if !l.patience.lost {
		n, err = heed(l.epoll, l.events[:], soon)
		l.patience.waited(began)
	}
	if n == 0 && err == nil {
		if err = l.park(unix.POLLIN); err != nil {
			return err
		}
		l.patience.parked(began)
		n, err = heed(l.epoll, l.events[:], 0) // or the next wait would hear it again
	}
	for i := range l.events[:n] {
		if l.events[i].Fd == int32(l.fd) { // nothing comes there any more but the end
			return io.EOF
		}
	}
	if err == unix.EINTR {
		return nil
	}
	return err
}

// heed waits in the kernel for what is new in an epoll.
func heed(epoll int, events []unix.EpollEvent, most time.Duration) (int, error) {
	n, _, e := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(most/time.Millisecond), 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

func (l *rings) ring() {
	_, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(l.bell), uintptr(unsafe.Pointer(&one)), 8)
	if e == unix.EAGAIN {
		l.ringFull()
	}
}

// ringFull rings a bell that takes no more. The daemon sees that it is rung, and never empties it. With the ones of a
// program it lasts for ever; but an emulator that turns the bytes of what it passes on makes each a large number, which
// fit 255 times.
func (l *rings) ringFull() {
	var rung uint64
	unix.RawSyscall(unix.SYS_READ, uintptr(l.bell), uintptr(unsafe.Pointer(&rung)), 8)
	unix.RawSyscall(unix.SYS_WRITE, uintptr(l.bell), uintptr(unsafe.Pointer(&one)), 8)
}

// one is what is added to an eventfd.
var one uint64 = 1

func (l *rings) HangUp(patience time.Duration) {
	l.Socket.HangUp(patience)
	l.unmap()
}

func (l *rings) Drop() {
	l.Socket.Drop()
	l.unmap()
}

func (l *rings) unmap() {
	l.segment.Close()
	for _, fd := range [...]int{l.epoll, l.bell} {
		unix.Close(fd)
	}
	if l.arena != nil {
		l.arena.Close()
	}
}
