package clients

import (
	"encoding/binary"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// rings is the bus's end of a connection through shared memory, as docs/protocol.md has it in section 15.
type rings struct {
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	window  *ring.Window
	bell    int // the bus's
	theirs  int // rings the client's
}

// introduce makes rings, and answers the Hello with them.
func introduce(conn *net.UnixConn, welcome []byte) (*rings, error) {
	segment, share, err := ring.Create(ring.Sizes{UpBytes: 1 << 16, DownBytes: 1 << 16, WindowBytes: 1 << 16, WindowSlots: 512})
	if err != nil {
		return nil, err
	}
	r := &rings{segment: segment}
	r.reader, r.writer, r.window = segment.Daemon()
	var hearing int
	if r.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		r.theirs, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err == nil {
		hearing, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	}
	if err != nil {
		return nil, err
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wire.BellEvent, Pad: wire.BellEvent}
	if err = unix.EpollCtl(hearing, unix.EPOLL_CTL_ADD, r.theirs, &e); err != nil {
		return nil, err
	}
	_, _, err = conn.WriteMsgUnix(welcome, unix.UnixRights(share, r.bell, hearing), nil)
	unix.Close(share)
	unix.Close(hearing)
	return r, err
}

// take takes bytes from the ring, and waits for some. conn is a copy of the socket, whose end is the end.
func (r *rings) take(conn *os.File, p []byte) (int, error) {
	for {
		n, wake, err := r.reader.Read(p)
		if wake {
			r.ring()
		}
		if n > 0 || err != nil {
			return n, err
		}
		if !r.reader.Doze() {
			continue
		}
		fds := []unix.PollFd{{Fd: int32(r.bell), Events: unix.POLLIN}, {Fd: int32(conn.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return 0, err
		}
		r.reader.Awake()
		var rung [8]byte
		unix.Read(r.bell, rung[:])
		if fds[1].Revents != 0 {
			return 0, unix.ENOTCONN
		}
	}
}

// give puts a frame into the ring, which has room for all that a script says.
func (r *rings) give(raw []byte) {
	if _, wake, _ := r.writer.Write(raw); wake {
		r.ring()
	}
}

func (r *rings) ring() { unix.Write(r.theirs, binary.NativeEndian.AppendUint64(nil, 1)) }

// untilAsleep waits until the client says that it sleeps, and takes that back: it must be rung.
func (r *rings) untilAsleep(patience time.Duration) bool {
	for end := time.Now().Add(patience); !r.writer.Wake(); runtime.Gosched() {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// show shows a message in the window.
func (r *rings) show(m *message.Message) error {
	place := r.window.Stage(wire.MessageBytes(len(m.Name), len(m.Data)))
	wire.AppendMessage(place[:0], &m.Header, []byte(m.Name), m.Data)
	err := r.window.Publish()
	if r.writer.Wake() {
		r.ring()
	}
	return err
}

func (r *rings) close() {
	unix.Close(r.bell)
	unix.Close(r.theirs)
	r.segment.Close()
}

// stream is what the client sends, through the socket or the ring.
type stream struct {
	conn  *net.UnixConn
	copy  *os.File
	rings *rings // nil: the socket
}

func (s *stream) Read(p []byte) (int, error) {
	if s.rings == nil {
		return s.conn.Read(p)
	}
	return s.rings.take(s.copy, p)
}
