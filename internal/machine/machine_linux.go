// Package machine is what the library asks the machine and not a bus. It is apart so that the library itself has no file for
// one system only.
package machine

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// SinceBoot is how long ago this machine was started, the time that it has slept included. All processes of a machine
// see the same.
func SinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // every Linux has this clock
	}
	return time.Duration(t.Nano())
}

// Process is a descriptor of a process (a pidfd): it means that one process for good, also when its number is used again,
// and becomes readable when the process ends. It is nil when the process has gone, or the system has none to give.
func Process(pid uint32) *os.File {
	fd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "pidfd")
}
