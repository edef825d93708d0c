package transport

import (
	"context"
	"io"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/message"
)

// Socket is a Link over a stream socket to the daemon. It waits in two ways, because neither is good alone.
//
// First it waits as a C program would: in the kernel, in a receive that blocks. What comes wakes just this thread,
// and the goroutine goes on where it was. That is a third faster than the runtime's network poller, which has to find
// a thread for the goroutine. But it holds a thread and, for a while, a processor of the runtime, so it is for
// answers that come soon. If none has come for a moment, it waits in the poller. The moment is the socket's own time
// limit, which costs nothing to set for each wait, as that of a poll does.
type Socket struct {
	fd         int
	wantsRings bool
	rights     []int // descriptors that have come, while wantsRings
	turn       turn
	patience   patience
	poller
}

// soon is how long an answer is waited for in the kernel; Poke takes as long to be noticed there.
const soon = 4 * time.Millisecond

// Dial connects to the socket at path, and says whether the Hello may ask for rings. ErrNoSuchBus if nobody listens there.
func Dial(ctx context.Context, path string, rings bool) (Link, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	l := &Socket{fd: fd, wantsRings: rings}
	if err = connect(ctx, fd, path); err == nil {
		limit := unix.NsecToTimeval(int64(soon))
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	}
	if err == nil {
		err = l.poller.open(fd)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return l, nil
}

// connect waits while the daemon has too many others to accept. A Unix socket that does not block cannot wait for that,
// so this one still does, for a tenth of a second at a time.
func connect(ctx context.Context, fd int, path string) error {
	turn := unix.NsecToTimeval(int64(100 * time.Millisecond))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &turn); err != nil {
		return err
	}
	for {
		switch err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err {
		case unix.EAGAIN, unix.EINTR:
			if ctx.Err() != nil {
				return ctx.Err()
			}
		case unix.ENOENT, unix.ECONNREFUSED, unix.ENOTDIR:
			return message.ErrNoSuchBus
		default:
			return err
		}
	}
}

func (l *Socket) Send(p []byte) (int, error) {
	for sent := 0; ; {
		n, errno := sendNow(l.fd, p[sent:])
		sent += n
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN, errno == 0 && sent == len(p):
			return sent, nil
		case errno != 0:
			return sent, errno
		}
	}
}

// sendNow sends what can be sent without waiting, so the scheduler need not hear of it. A bus that is gone is EPIPE.
func sendNow(fd int, p []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), 0
}

func (l *Socket) Recv(p []byte, room bool) (int, error) {
	for !l.poked.Load() {
		if room { // wait for either; what there is to receive then is received without waiting
			if ready, err := l.await(unix.POLLIN | unix.POLLOUT); err != nil || !ready {
				return 0, err
			}
		}
		n, err := l.read(p, room || l.patience.lost)
		switch {
		case err == unix.EAGAIN && !room:
			began := time.Since(started)
			if err := l.park(unix.POLLIN); err != nil {
				return 0, err
			}
			l.patience.parked(began)
		case err == unix.EAGAIN || err == unix.EINTR:
			if room {
				return 0, nil
			}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
	l.poked.Store(false)
	return 0, nil
}

// read receives, and waits for it for a moment unless now is true. While an answer may bring descriptors, it takes
// those.
func (l *Socket) read(p []byte, now bool) (int, error) {
	flags := 0
	if now {
		flags = unix.MSG_DONTWAIT
	}
	if l.wantsRings {
		return l.readRights(p, flags)
	}
	var began time.Duration
	if !now {
		began = l.turn.before()
	}
	n, _, e := unix.Syscall6(unix.SYS_RECVFROM, uintptr(l.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		uintptr(flags), 0, 0)
	if !now {
		l.patience.waited(began)
	}
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// await waits until the socket is ready, or for no reason.
func (l *Socket) await(events int16) (ready bool, err error) {
	l.turn.before()
	polled := [1]unix.PollFd{{Fd: int32(l.fd), Events: events}}
	limit := unix.NsecToTimespec(int64(soon))
	switch n, err := unix.Ppoll(polled[:], &limit, nil); {
	case err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, err
	case n > 0:
		return true, nil
	}
	return false, l.park(uint32(events))
}

// HangUp lets the daemon close first: when it has, it has done all that closing a Ksock means (R6.7), and whoever comes
// next finds the Ksock gone.
func (l *Socket) HangUp(patience time.Duration) {
	trash := make([]byte, 4096)
	polled := [1]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}
	until := time.Now().Add(patience)
	for err := unix.Shutdown(l.fd, unix.SHUT_WR); err == nil || err == unix.EINTR; {
		limit := unix.NsecToTimespec(int64(max(time.Until(until), 0)))
		if n, e := unix.Ppoll(polled[:], &limit, nil); n == 0 && e == nil {
			break // it takes no note
		}
		var n int
		if n, err = unix.Read(l.fd, trash); n == 0 && err == nil {
			break
		}
	}
	l.Drop()
}

func (l *Socket) Drop() {
	l.poller.close()
	for _, fd := range l.rights {
		unix.Close(fd)
	}
	unix.Close(l.fd)
}
