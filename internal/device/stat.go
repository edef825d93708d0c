package device

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// Some programs look whether /dev/kbus0 is a character device before they open it. A file of FUSE cannot be that and
// openable too. But when a name is looked up, the caller sits in its system call, and /proc says which call it is: a
// caller of stat is shown a character device, any other caller a file. The kernel must then ask at each look-up, so it
// is an option. fstat(2) of an open descriptor still gives the file.

// statCalls are the numbers of stat, lstat, newfstatat and statx.
var statCalls = map[string][]string{
	"amd64": {"4", "6", "262", "332"},
	"arm64": {"79", "291"},
}[runtime.GOARCH]

// untilAsleep is how often to look at a caller that has not gone to sleep yet, as it is about to.
const untilAsleep = 1000

func callsStat(tid uint32) bool {
	path := fmt.Sprintf("/proc/%d/syscall", tid)
	for range untilAsleep {
		var b [256]byte
		number, _, _ := bytes.Cut(b[:readFile(path, b[:])], []byte(" "))
		if string(number) != "running\n" {
			return slices.Contains(statCalls, string(number))
		}
		runtime.Gosched()
	}
	return false
}

// readFile reads the beginning of a file; what cannot be read is empty.
func readFile(path string, p []byte) int {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
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
