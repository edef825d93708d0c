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
	fd    int
	buf   []byte
	small [256]byte // replies of fixed size
	call  Ioctl     // that is being made
	begun bool      // INIT has been answered
	cuse  string    // name of the character device; "" for FUSE
}

// NewConn serves fd, a non-blocking descriptor of /dev/fuse or of what stands in for it. The Conn owns it.
func NewConn(fd int) *Conn { return &Conn{fd: fd, buf: make([]byte, bufferBytes)} }

// FD is what to wait on until there are requests; -1 when closed.
func (c *Conn) FD() int { return c.fd }

// Close ends the connection: whoever still has a file open gets ENOTCONN from now on.
func (c *Conn) Close() {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}

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
	case unix.ENODEV: // unmounted, and nobody has a file open
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

// reply begins a reply of fixed size in c.small.
func (c *Conn) reply() []byte { return c.small[:replyHeaderBytes] }

// send completes and sends a reply that begins with room for its header.
func (c *Conn) send(unique uint64, b []byte) error {
	native.PutUint32(b, uint32(len(b)))
	native.PutUint32(b[4:], 0)
	native.PutUint64(b[8:], unique)
	return c.put(b)
}

// refuse answers with an error.
func (c *Conn) refuse(unique uint64, e unix.Errno) error {
	b := c.reply()
	native.PutUint32(b, replyHeaderBytes)
	native.PutUint32(b[4:], uint32(-int32(e)))
	native.PutUint64(b[8:], unique)
	return c.put(b)
}

// notifyPoll is the code of the only notice that is sent: ask again what is ready.
const notifyPoll = 1

// Wake makes everybody who polls the file with this poll handle ask again. A handle that is not known any more does
// no harm.
func (c *Conn) Wake(pollHandle uint64) {
	b := c.small[:replyHeaderBytes+8]
	native.PutUint32(b, uint32(len(b)))
	native.PutUint32(b[4:], notifyPoll)
	native.PutUint64(b[8:], 0)
	native.PutUint64(b[16:], pollHandle)
	_ = c.put(b)
}

// put writes one reply. errTakenBack says that nobody waits for it any more.
func (c *Conn) put(b []byte) error {
	_, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	switch errno {
	case 0:
		return nil
	case unix.ENOENT:
		return errTakenBack
	case unix.ENODEV, unix.EPERM: // unmounted meanwhile; EPERM until the kernel has its INIT
		return io.EOF
	}
	return fmt.Errorf("write of a FUSE reply: %w", errno)
}
