// Package sock makes the system calls on Unix sockets that say where somebody comes from. Nobody wants to know: clients of Unix
// sockets have no address. golang.org/x/sys would tell all the same, for sockets of every kind that Linux has, and the daemon
// would link the code for each of them.
package sock

import (
	"bytes"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Accept takes the next client that waits at a socket which is not to be waited for. Flags are of SOCK_CLOEXEC and SOCK_NONBLOCK.
func Accept(listener, flags int) (int, error) {
	fd, _, e := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, uintptr(flags), 0, 0)
	if e != 0 {
		return -1, e
	}
	return int(fd), nil
}

// Receive waits for a message, and gives how many bytes of p and of oob it has. Flags are as for recvmsg.
func Receive(fd int, p, oob []byte, flags int) (n, oobn int, err error) {
	piece := unix.Iovec{Base: unsafe.SliceData(p)}
	piece.SetLen(len(p))
	head := unix.Msghdr{Iov: &piece, Control: unsafe.SliceData(oob)}
	head.SetIovlen(1)
	head.SetControllen(len(oob))
	got, _, e := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&head)), uintptr(flags))
	if e != 0 {
		return 0, 0, e
	}
	return int(got), int(head.Controllen), nil
}

// Path is where a Unix socket was bound; with an @ in front it is no file.
func Path(fd int) (string, error) {
	var addr unix.RawSockaddrUnix
	size := uint32(unsafe.Sizeof(addr))
	if _, _, e := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size))); e != 0 {
		return "", e
	}
	if addr.Family != unix.AF_UNIX {
		return "", errors.New("no Unix socket")
	}
	path := unsafe.Slice((*byte)(unsafe.Pointer(&addr.Path[0])), len(addr.Path))
	path = path[:max(0, int(size)-int(unsafe.Offsetof(addr.Path)))]
	if len(path) > 0 && path[0] == 0 {
		return "@" + string(path[1:]), nil
	}
	path, _, _ = bytes.Cut(path, []byte{0})
	return string(path), nil
}
