package kbus

import (
	"io"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus/internal/ring"
	"kbus/internal/wire"
)

// ringLink carries frames through memory shared with the daemon (package ring). The socket stays, for three things: its
// end is the end of the connection; a byte in it, whatever byte, is the bell that the daemon rings when we sleep; and
// descriptors came through it. The daemon's own bell is an eventfd.
//
// All that is above the link, waiting for an answer too, is as with a socket.
type ringLink struct {
	*socketLink
	segment *ring.Segment
	reader  *ring.Reader
	writer  *ring.Writer
	taker   *ring.Taker
	writing sync.Mutex  // around writer: the leader looks for room while others send
	waited  atomic.Bool // somebody waits for what the window may show
	bell    int
	bells   [64]byte
}

func (l *socketLink) features() uint32 {
	if l.wantsRings {
		return wire.FeatureRings
	}
	return 0
}

func (l *socketLink) readRights(p []byte, flags int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(2*4))
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

// upgrade makes a ringLink of a socket whose Hello has been answered with the segment and the daemon's bell.
func (l *socketLink) upgrade(uint32) (link, error) {
	l.wantsRings = false
	rights := l.rights
	l.rights = nil
	if len(rights) != 2 {
		return nil, unexpected("rings without their two descriptors")
	}
	m, err := ring.Map(rights[0])
	unix.Close(rights[0])
	if err != nil {
		unix.Close(rights[1])
		return nil, err
	}
	r := &ringLink{socketLink: l, segment: m, bell: rights[1]}
	r.reader, r.writer, r.taker = m.Client()
	return r, nil
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

func (l *ringLink) claim(most uint32) ([]byte, bool, error) { return l.taker.Claim(most) }

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

// hear waits for the daemon's bell, or for no reason, and learns of the end.
func (l *ringLink) hear() error {
	switch n, err := l.read(l.bells[:], false); {
	case err == unix.EAGAIN:
		return l.park(unix.POLLIN)
	case err == unix.EINTR:
		return nil
	case err != nil:
		return err
	case n == 0:
		return io.EOF
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
	unix.Close(l.bell)
}
