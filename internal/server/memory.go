package server

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/server/loop"
)

// On a machine with little memory the rings of connections are small: a client that is behind fills its own, and these
// are small enough for a hundred of them not to matter.

// littleMemory is what a machine has at least where rings are as large as pays.
const littleMemory = 1 << 30

// machineMemory is how much memory the machine has, in bytes; 0 if it does not say.
func machineMemory() uint64 {
	var of unix.Sysinfo_t
	if unix.Sysinfo(&of) != nil {
		return 0
	}
	return uint64(of.Totalram) * uint64(of.Unit)
}

// defaultRing is the default of Config.RingBytes on a machine with so much memory.
func defaultRing(memory uint64) int64 {
	if memory < littleMemory {
		return loop.SmallRing
	}
	return 256 << 10
}
