package fuse

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// The first request of a connection is an INIT, which is waiting in it as soon as the file system is mounted or
// /dev/cuse is opened. Begin answers it at once, so that when Begin returns everything is there.

// Begin answers the INIT.
func (c *Conn) Begin() error {
	for !c.begun {
		wait := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(wait, beginMilliseconds); err != nil && err != unix.EINTR {
			return fmt.Errorf("FUSE: %w", err)
		} else if n == 0 && err == nil {
			return errors.New("FUSE: the kernel does not begin")
		}
		if err := c.first(); err == io.EOF {
			return errors.New("FUSE: the kernel ended the connection at its beginning")
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) first() error {
	r, ok, err := c.receive()
	switch {
	case !ok || err != nil:
		return err
	case r.opcode != opInit && r.opcode != opCuseInit:
		return malformed("opcode %d before INIT", r.opcode)
	case r.short():
		return malformed("INIT of %d bytes", len(r.body))
	}
	return c.begin(&r)
}

// beginMilliseconds is far more than the kernel needs.
const beginMilliseconds = 10_000

const (
	asyncRead    = 1 << 0
	atomicOTrunc = 1 << 3
	bigWrites    = 1 << 5
	maxPagesFlag = 1 << 22

	wantedFlags = asyncRead | atomicOTrunc | bigWrites | maxPagesFlag

	// maxBackground is how many requests for which no process waits, such as RELEASE, the kernel hands over at once.
	// Beyond it they would be held back while others overtake them.
	maxBackground = 65535
)

func (c *Conn) begin(r *request) error {
	switch {
	case r.word(0) < major:
		return malformed("protocol version %d of the kernel is too old", r.word(0))
	case r.word(0) > major: // it asks again with ours
		return c.send(r.unique, append(c.version(), make([]byte, 56)...))
	case (r.opcode == opCuseInit) != (c.cuse != ""):
		return malformed("INIT of the other kind")
	}
	c.begun = true
	if c.cuse != "" {
		return c.beginCuse(r)
	}
	b := c.version()
	b = native.AppendUint32(b, r.word(8)) // read-ahead, which there is none of
	b = native.AppendUint32(b, r.word(12)&wantedFlags)
	b = native.AppendUint16(b, maxBackground)
	b = native.AppendUint16(b, maxBackground/4*3)
	b = native.AppendUint32(b, maxWriteBytes)
	b = native.AppendUint32(b, 1) // times count in nanoseconds
	b = native.AppendUint16(b, maxPages)
	return c.send(r.unique, append(b, make([]byte, 34)...))
}

func (c *Conn) version() []byte {
	b := native.AppendUint32(c.reply(), major)
	return native.AppendUint32(b, minor)
}

// beginCuse answers the INIT of CUSE: with the device's name, a number that the kernel chooses, and restricted ioctls,
// which are those of FUSE.
func (c *Conn) beginCuse(r *request) error {
	b := c.version()
	b = append(b, make([]byte, 8)...)
	b = native.AppendUint32(b, maxWriteBytes) // longest READ
	b = native.AppendUint32(b, maxWriteBytes)
	b = append(b, make([]byte, 48)...)
	b = append(b, "DEVNAME="...)
	b = append(b, c.cuse...)
	return c.send(r.unique, append(b, 0))
}
