package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Who runs before whom. An attacker runs at the lowest priority, so that figures tell what the daemon does for it, and not
// what the scheduler does. Where slow counts as harmful, daemon and pair run before everything else on the machine, and
// an attacker behind them but before the others.

var judged bool

// startFirst starts the daemon, or one of the pair. Not with SCHED_FIFO: what runs so is never interrupted by its equals, and
// the collector of a Go program may then spin on each processor for a thread that none of them lets run.
func startFirst(start func() error) error {
	if !judged {
		return start()
	}
	return withNice(-20, start)
}

// startLast starts an attacker.
func startLast(start func() error) error {
	if !judged {
		return withNice(19, start)
	}
	return withNice(-10, start)
}

// withNice starts something that inherits a nice value.
func withNice(nice int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	check(unix.Setpriority(unix.PRIO_PROCESS, 0, nice))
	defer func() { check(unix.Setpriority(unix.PRIO_PROCESS, 0, 0)) }()
	return start()
}
