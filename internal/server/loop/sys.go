package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls on the way of a message. Sockets are non-blocking, so each of these returns at once, and the Go
// scheduler need not hear of them: a raw call costs what the kernel takes and nothing more. x/sys has wrappers for the
// same calls, but they tell the scheduler, and its send hides how much was sent.

// send writes as much of p as the socket takes. A peer that is gone is EPIPE and no signal.
func send(fd int, p []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
		uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), 0
}

// add adds to an eventfd, which no other process may have: else it could wait.
func add(fd int, n *uint64) {
	unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(n)), unsafe.Sizeof(*n))
}

// waitRaw waits for events without telling the Go scheduler, so it must be short. A signal ends it early, which is how
// the garbage collector gets through: epoll_wait, unlike a read, is never started again by the kernel.
func waitRaw(epoll int, events []unix.EpollEvent, milliseconds int) int {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(milliseconds), 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// waitIdle waits as long as it takes, and the scheduler goes on with other work.
func waitIdle(epoll int, events []unix.EpollEvent, milliseconds int) int {
	n, _, e := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(milliseconds), 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}
