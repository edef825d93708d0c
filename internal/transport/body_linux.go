package transport

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Large bodies on their way out: one is copied once, from the message to where the daemon has it from.

func (l *rings) SendBody(head, body []byte) (int, error) {
	l.writing.Lock()
	n, err := l.writer.AppendLong(head)
	if err == nil && n == len(head) {
		var more int
		more, err = l.writer.AppendLong(body)
		n += more
	}
	wake := n > 0 && err == nil && l.writer.Publish()
	l.writing.Unlock()
	if wake {
		l.ring()
	}
	return n, err
}

func (l *Socket) SendBody(head, body []byte) (int, error) {
	pieces := [2]unix.Iovec{{Base: unsafe.SliceData(head)}, {Base: unsafe.SliceData(body)}}
	pieces[0].SetLen(len(head))
	pieces[1].SetLen(len(body))
	h := unix.Msghdr{Iov: &pieces[0], Iovlen: 2}
	for {
		n, _, e := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(l.fd), uintptr(unsafe.Pointer(&h)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch e {
		case 0:
			return int(n), nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, e
		}
	}
}
