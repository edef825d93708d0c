// Package descriptor is a device as a program of the original uses it: bare system calls, arguments laid out byte by byte
// in this process's memory, errors as numbers. It is for tests, of programs that are not the daemon: a process must not
// open a device that it serves itself.
package descriptor

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// Descriptor is an open device.
type Descriptor int

// Open opens a device, with the flags of open(2).
func Open(path string, flags int) (Descriptor, unix.Errno) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err == unix.EINTR {
			continue
		}
		errno, _ := err.(unix.Errno)
		return Descriptor(fd), errno
	}
}

// Close closes this copy.
func (d Descriptor) Close() error { return unix.Close(int(d)) }

// Ioctl is ioctl(2).
func (d Descriptor) Ioctl(code uint32, arg unsafe.Pointer) (ret int, errno unix.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(d), uintptr(code), uintptr(arg))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// untouched stands behind a number, where nothing may be written.
const untouched = 0xDEADBEEF

// Word performs an ioctl on a number. It panics when more than the number is written.
func (d Descriptor) Word(code, in uint32) (out uint32, ret int, errno unix.Errno) {
	arg := [2]uint32{in, untouched}
	ret, errno = d.Ioctl(code, unsafe.Pointer(&arg))
	if arg[1] != untouched {
		panic("descriptor: an ioctl wrote more than a number")
	}
	return arg[0], ret, errno
}

// ID performs an ioctl that tells a message id.
func (d Descriptor) ID(code uint32) (message.ID, unix.Errno) {
	var arg [2]uint32
	_, errno := d.Ioctl(code, unsafe.Pointer(&arg))
	return message.ID{Network: arg[0], Serial: arg[1]}, errno
}

// Named performs an ioctl on a bind request or bind query (R3.3), and gives the first word.
func (d Descriptor) Named(code, first uint32, name []byte) (ret int, word uint32, errno unix.Errno) {
	var pin runtime.Pinner
	defer pin.Unpin()
	name = append(name[:len(name):len(name)], 0)
	pin.Pin(&name[0])
	var arg [16]byte
	binary.NativeEndian.PutUint32(arg[:], first)
	binary.NativeEndian.PutUint32(arg[4:], uint32(len(name)-1))
	binary.NativeEndian.PutUint64(arg[8:], uint64(uintptr(unsafe.Pointer(&name[0]))))
	ret, errno = d.Ioctl(code, unsafe.Pointer(&arg))
	return ret, binary.NativeEndian.Uint32(arg[:]), errno
}

// Bind, Unbind and Replier are the three that take a name.

func (d Descriptor) Bind(name string, replier uint32) unix.Errno {
	_, _, errno := d.Named(file.IoctlBind, replier, []byte(name))
	return errno
}

func (d Descriptor) Unbind(name string, replier uint32) unix.Errno {
	_, _, errno := d.Named(file.IoctlUnbind, replier, []byte(name))
	return errno
}

func (d Descriptor) Replier(name string) (id uint32, errno unix.Errno) {
	_, id, errno = d.Named(file.IoctlReplier, 99, []byte(name))
	return id, errno
}

// Write and Read are write(2) and read(2).

func (d Descriptor) Write(p []byte) (int, unix.Errno) { return d.transfer(unix.SYS_WRITE, p) }

func (d Descriptor) Read(p []byte) (int, unix.Errno) { return d.transfer(unix.SYS_READ, p) }

func (d Descriptor) transfer(call uintptr, p []byte) (int, unix.Errno) {
	n, _, errno := unix.Syscall(call, uintptr(d), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// Next is NEXTMSG.
func (d Descriptor) Next() (ret int, length uint32, errno unix.Errno) {
	length, ret, errno = d.Word(file.IoctlNextMsg, 99)
	return ret, length, errno
}

// Receive takes the next message and reads it whole; ok is false when there is none.
func (d Descriptor) Receive() (m message.Message, ok bool, errno unix.Errno) {
	_, n, errno := d.Next()
	if errno != 0 || n == 0 {
		return m, false, errno
	}
	b := make([]byte, n)
	if _, errno = d.Read(b); errno != 0 {
		return m, false, errno
	}
	h, name, data, c := message.ParseEntire(b, n)
	return message.Message{Header: h, Name: string(name), Data: data}, c == message.OK, c.Errno()
}

// Send writes a message in one piece and sends it.
func (d Descriptor) Send(h message.Header, name, data string) (message.ID, unix.Errno) {
	if _, errno := d.Write(message.AppendEntire(nil, &h, []byte(name), []byte(data))); errno != 0 {
		return message.ID{}, errno
	}
	return d.ID(file.IoctlSend)
}

// Poll is poll(2); -1 milliseconds is for ever.
func (d Descriptor) Poll(events int16, milliseconds int) (ready int16, err error) {
	fds := []unix.PollFd{{Fd: int32(d), Events: events}}
	for {
		if _, err = unix.Poll(fds, milliseconds); err != unix.EINTR {
			return fds[0].Revents, err
		}
	}
}
