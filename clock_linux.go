package kbus

import (
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
