package server

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/logger"
)

// The descriptors that all connections together need: whether the system allows them, and a table that has room for them.
//
// The kernel doubles a process's table of descriptors when it is full, and in a process with threads whoever needed the place
// waits until no processor may still look at the old one: some milliseconds, more beside a busy neighbour. That would be a
// loop that accepts, and with it everybody on its bus. So the table is as long as it can ever get before it is needed.

// ofConnection is how many descriptors a connection takes: the socket, two bells and the memory that it shares.
const ofConnection = 4

// ofDaemon is at least how many the daemon takes for itself, and for those who are being let in.
const ofDaemon = 256

// mostRoom is for how many there is room where connections have no limit: 512 KiB of the kernel's memory.
const mostRoom = 1 << 16

// descriptors is how many all connections need, and how many the system allows.
func (c *Config) descriptors() (need, allowed uint64) {
	each := 1
	if c.RingBytes != 0 {
		each = ofConnection
	}
	need = uint64(c.Limits.Connections)*uint64(each) + ofDaemon
	if c.Limits.Connections == 0 {
		need = mostRoom
	}
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return need, need
	}
	return need, r.Cur
}

// warnOfDescriptors says when the system's limit will be met before ours. That does no harm, but the system's limit
// knows no users: one of them can take all there is.
func (c *Config) warnOfDescriptors(log *logger.Logger) {
	if need, allowed := c.descriptors(); c.Limits.Connections == 0 || allowed < need {
		log.Warn("limits.connections is above what the system allows", "limits.connections", c.Limits.Connections, "open files", allowed)
	}
}

// makeRoomForDescriptors makes the table that long. It waits, so it is neither for a loop nor for who holds what a loop wants. It has
// a Config of its own, which nobody changes meanwhile.
func (c Config) makeRoomForDescriptors(log *logger.Logger) {
	any, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return // there are none left at all, which accepting will say
	}
	defer unix.Close(any)
	need, allowed := c.descriptors()
	if last, err := unix.FcntlInt(uintptr(any), unix.F_DUPFD_CLOEXEC, int(min(need, allowed))-1); err == nil {
		unix.Close(last)
		log.Debug("room for descriptors", "descriptors", last+1)
	}
}
