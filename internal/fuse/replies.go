package fuse

import (
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// replies is the way back to the kernel: what answers a request, and the one notice that is sent without one. All of it is
// written at once, since the kernel takes every answer.
type replies struct {
	fd    int
	small [256]byte // replies of fixed size
}

// FD is what to wait on until there are requests; -1 when closed.
func (r *replies) FD() int { return r.fd }

// Close ends the connection: every process that still has a file open gets ENOTCONN from now on.
func (r *replies) Close() {
	if r.fd >= 0 {
		unix.Close(r.fd)
		r.fd = -1
	}
}

// reply begins a reply of fixed size in r.small.
func (r *replies) reply() []byte { return r.small[:replyHeaderBytes] }

// send completes and sends a reply that begins with room for its header.
func (r *replies) send(unique uint64, b []byte) error {
	native.PutUint32(b, uint32(len(b)))
	native.PutUint32(b[4:], 0)
	native.PutUint64(b[8:], unique)
	return r.put(b)
}

// refuse answers with an error.
func (r *replies) refuse(unique uint64, e unix.Errno) error {
	b := r.reply()
	native.PutUint32(b, replyHeaderBytes)
	native.PutUint32(b[4:], uint32(-int32(e)))
	native.PutUint64(b[8:], unique)
	return r.put(b)
}

// notifyPoll is the code of the only notice that is sent: ask again what is ready.
const notifyPoll = 1

// Wake makes every process that polls the file with this poll handle ask again. A handle that is not known any more
// does no harm.
func (r *replies) Wake(pollHandle uint64) {
	b := r.small[:replyHeaderBytes+8]
	native.PutUint32(b, uint32(len(b)))
	native.PutUint32(b[4:], notifyPoll)
	native.PutUint64(b[8:], 0)
	native.PutUint64(b[16:], pollHandle)
	_ = r.put(b)
}

// put writes one reply. errTakenBack means that no process waits for it any more.
func (r *replies) put(b []byte) error {
	_, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(r.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
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
