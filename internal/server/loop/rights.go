package loop

import (
	"errors"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A client can send descriptors along with its bytes (SCM_RIGHTS). The bus wants none, and to get rid of one can take
// long: the last close of a TCP socket that lingers waits for its peer, as long as the sender has chosen. The kernel
// closes what a receiver has no room for within the call that receives. That call would be the loop's, and a whole bus
// would wait. So there is room, and closing is left to a few goroutines (closer.go). A client that has sent more than
// they can close is hung up on, and counts as connected until all it has sent is closed.
//
// Linux can refuse them since 6.16 (SO_PASSRIGHTS), but then the sender's write fails, bytes and all: a client that
// hands a descriptor on by mistake would lose its request where an older kernel takes it.

// incoming is what a receive needs beside the bytes: room for the descriptors that may come with them.
type incoming struct {
	piece unix.Iovec
	head  unix.Msghdr
	oob   [1056]byte // for 253 descriptors, which are the most that the kernel sends at a time
}

// passed is the descriptors of a connection that are on their way, to it or from it.
type passed struct {
	handing sync.WaitGroup // for those that were sent or have come, and are being closed
	foreign int            // of those that have come
}

// mostForeign is how many descriptors may have come from a client and not be closed yet.
const mostForeign = 64

var errDescriptorsSent = errors.New("it sends file descriptors that take long to close; the bus takes none")

// receiveSocket reads into p what has come in the socket of a connection. It gives 0 and no error at the end of the
// stream, and -1 when too many descriptors have come.
func (l *Loop) receiveSocket(c *conn, p []byte) (int, unix.Errno) {
	in := &l.incoming
	in.piece.Base = unsafe.SliceData(p)
	in.piece.SetLen(len(p))
	in.head = unix.Msghdr{Iov: &in.piece, Control: &in.oob[0]}
	in.head.SetIovlen(1)
	in.head.SetControllen(len(in.oob))
	n, _, e := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&in.head)),
		unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	in.piece.Base = nil
	if e != 0 {
		return 0, e
	}
	if in.head.Controllen > 0 {
		if l.discard(c, in.oob[:in.head.Controllen]); c.foreign > mostForeign {
			return -1, 0
		}
	}
	return int(n), 0
}

// discard has the descriptors closed that a client has sent.
func (l *Loop) discard(c *conn, oob []byte) {
	var all []int
	messages, _ := unix.ParseSocketControlMessage(oob)
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil {
			all = append(all, fds...)
		}
	}
	if len(all) == 0 {
		return
	}
	l.spend(c.user, len(all))
	c.foreign += len(all)
	c.handing.Add(1)
	closers.close(all, func() {
		c.handing.Done()
		l.Post(func() { c.foreign -= len(all) })
	})
}
