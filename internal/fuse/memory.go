package fuse

import "golang.org/x/sys/unix"

// Memory reads what the argument of an ioctl points at. Only the kernel's copy of the argument itself comes with the
// request; what lies behind further pointers is read from the caller's memory, while the caller waits for its answer
// and so cannot go away, even when it is killed. It needs CAP_SYS_PTRACE.
type Memory struct {
	local  [1]unix.Iovec
	remote [1]unix.RemoteIovec
}

// Read fills p from an address of the process that the thread belongs to, and reports whether all of it is there. Of a
// thread in another PID namespace (0) nothing can be read.
//
// Unlike what else is done for a caller this tells the Go scheduler, since memory may have to come from a disk first.
func (m *Memory) Read(tid uint32, addr uint64, p []byte) bool {
	if len(p) == 0 {
		return true
	}
	if tid == 0 || addr+uint64(len(p)) < addr {
		return false
	}
	m.local[0].Base = &p[0]
	m.local[0].SetLen(len(p))
	m.remote[0] = unix.RemoteIovec{Base: uintptr(addr), Len: len(p)}
	n, err := unix.ProcessVMReadv(int(tid), m.local[:], m.remote[:], 0)
	m.local[0].Base = nil
	return err == nil && n == len(p)
}
