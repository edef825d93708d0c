package kbus

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus/internal/wire"
)

// Large bodies on their way over a link that goes to the daemon. Out, one is copied once, from the message to where the
// link has it from; in, it may lie in the log of the bus, and what has come through the window only says where.

// claim takes the first message of the window, and its data where that lies.
func (l *ringLink) claim(h *Header, most uint32) (name, data []byte, ok bool, err error) {
	payload, ok, err := l.taker.Claim(most)
	if !ok || err != nil {
		return nil, nil, ok, err
	}
	if !l.taker.InLog() {
		name, data, _, whole := wire.ParseMessage(payload, h)
		if !whole {
			return nil, nil, false, unexpected("a message in the window")
		}
		return name, data, true, nil
	}
	name, dataLen, at, whole := wire.ParseReference(payload, h)
	if !whole || l.log == nil {
		return nil, nil, false, unexpected("a message in the window")
	}
	data, err = l.log.Body(at, int(dataLen))
	return name, data, err == nil, err
}

func (l *ringLink) inLog() bool { return l.taker.InLog() }

func (l *ringLink) keep() (number uint32, awaited bool) {
	l.log.Use()
	number, awaited = l.taker.Hold()
	if awaited {
		l.ring()
	}
	return number, awaited
}

func (l *ringLink) giveBack(number uint32, lasts bool) {
	if lasts { // otherwise the segment may be gone
		l.taker.LetGo(number)
	}
	l.log.Close()
}

func (l *ringLink) sendBody(head, body []byte) (int, error) {
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

func (l *socketLink) sendBody(head, body []byte) (int, error) {
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
