package loop

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel says of the process at the other end.

// programOf is the name of a process, for reports only: it may be any text, or "" when the kernel does not say.
func programOf(pid int) string {
	var name [64]byte
	return strings.TrimSuffix(string(name[:readProc(pid, "comm", name[:])]), "\n")
}

// readProc reads the beginning of a file in /proc; what the kernel does not tell is empty.
func readProc(pid int, file string, p []byte) int {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/"+file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, p)
	if err != nil {
		return 0
	}
	return n
}

// processOf is the process that a thread belongs to; the thread itself when the kernel does not say.
func processOf(tid uint32) uint32 {
	var status [1024]byte
	text := status[:readProc(int(tid), "status", status[:])]
	if _, after, ok := bytes.Cut(text, []byte("\nTgid:\t")); ok {
		digits, _, _ := bytes.Cut(after, []byte("\n"))
		if pid, err := strconv.ParseUint(string(digits), 10, 32); err == nil {
			return uint32(pid)
		}
	}
	return tid
}

// peerGroups are the supplementary groups that a client had at its connect.
func peerGroups(fd int) []uint32 {
	groups := make([]uint32, 64)
	for {
		size := uint32(len(groups) * 4)
		_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(unsafe.SliceData(groups))), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case e == 0:
			return groups[:size/4]
		case !errors.Is(e, unix.ERANGE) || int(size/4) <= len(groups):
			return nil
		}
		groups = make([]uint32, size/4)
	}
}

// groupsOf are those of a thread, as /proc tells them.
func groupsOf(tid uint32) (groups []uint32) {
	var status [4096]byte
	text := status[:readProc(int(tid), "status", status[:])]
	_, after, _ := bytes.Cut(text, []byte("\nGroups:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	for word := range strings.FieldsSeq(string(line)) {
		if gid, err := strconv.ParseUint(word, 10, 32); err == nil {
			groups = append(groups, uint32(gid))
		}
	}
	return groups
}
