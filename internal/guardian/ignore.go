package guardian

import (
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ignore has the kernel ignore a signal, from now on and in the program that is executed next. For that moment signal.Ignore will not do:
// when it begins, the runtime does not pass the signal on any more, and a signal that another thread is handling then ends the process.
func ignore(which unix.Signal) {
	var action [8]uintptr
	handler, setBytes := 0, uintptr(8)
	if strings.HasPrefix(runtime.GOARCH, "mips") { // there the flags come first, and there are 128 signals
		handler, setBytes = 1, 16
	}
	action[handler] = 1 // SIG_IGN
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(which), uintptr(unsafe.Pointer(&action)), 0, setBytes, 0, 0)
}
