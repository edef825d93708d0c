package fuse

import (
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Conn is a connection with the kernel. One goroutine at a time may use it.
//
// Requests and replies pass through one buffer: the request lies at its beginning, and what a READ answers is put behind
// it. All calls are raw, since none of them waits: the descriptor is non-blocking, and the kernel takes every answer.
type Conn struct {
	replies
	buf   []byte
	call  Ioctl  // that is being made
	begun bool   // INIT has been answered
	cuse  string // name of the character device; "" for FUSE
}

// NewConn serves fd, a non-blocking descriptor of /dev/fuse or of what stands in for it. The Conn owns it.
func NewConn(fd int) *Conn { return &Conn{replies: replies{fd: fd}, buf: make([]byte, bufferBytes)} }

// Resume goes on with a connection that another process has begun (Begin), of a character device of that name, or of FUSE.
func Resume(fd int, cuse string) *Conn {
	c := NewConn(fd)
	c.begun, c.cuse = true, cuse
	return c
}

// CUSE is the name of the character device; "" for FUSE.
func (c *Conn) CUSE() string { return c.cuse }

// Malformed is a request that cannot be one of this protocol. Nothing after it can be trusted.
type Malformed struct{ Reason string }

// Error says what was wrong.
func (m *Malformed) Error() string { return "not a FUSE request: " + m.Reason }

func malformed(format string, args ...any) error { return &Malformed{fmt.Sprintf(format, args...)} }

// receive reads one request. ok is false when there is none now; io.EOF says that there will be none any more.
func (c *Conn) receive() (r request, ok bool, err error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(&c.buf[0])), uintptr(len(c.buf)))
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR, unix.ENOENT: // ENOENT: the request was taken back while it was read
		return r, false, nil
	case unix.ENODEV: // unmounted, and no file is open
		return r, false, io.EOF
	default:
		return r, false, fmt.Errorf("read of a FUSE request: %w", errno)
	}
	if n == 0 {
		return r, false, io.EOF
	}
	r, err = parseRequest(c.buf[:n])
	return r, err == nil, err
}

// room is where the payload of a reply to a READ or READDIR is to be put: behind the request, which is small.
func (c *Conn) room(size uint32) []byte {
	const at = 256
	return c.buf[at : at+replyHeaderBytes+min(uint64(size), maxWriteBytes)]
}
