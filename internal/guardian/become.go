package guardian

import (
	"math"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A daemon that has handed over executes its own program, as what it is no more: the memory of a daemon is given back, and so are
// its descriptors. That program may have been replaced or deleted; /proc/self/exe is the one that runs.
//
// The kernel ends a program when the thread that has started it does (PDEATHSIG), and of all threads only the one that calls
// execve outlives it. So it must be that thread.

// variable tells a process that it is a guardian, and by which descriptor it hears of its daemon.
const variable = "KBUSD_GUARDIAN"

const itself = "/proc/self/exe"

// meantForDaemon are signals that do nothing to a guardian.
var meantForDaemon = []unix.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2}

// Possible reports why this process cannot become a guardian.
func Possible() error { return unix.Access(itself, unix.X_OK) }

// Become has this process look after those of its children, and nothing else. It must be called by the thread that has started
// them. It returns only if that cannot be.
func Become(socket int, pids []int) error {
	// What the daemon has opened is closed by that already. This is for its own input, output and errors, and for what it has inherited.
	// Kernels before 5.11 leave that open.
	_ = unix.CloseRange(0, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if _, err := unix.FcntlInt(uintptr(socket), unix.F_SETFD, 0); err != nil {
		return err
	}
	args := []string{os.Args[0], "looks after"} // for people
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	// As ignored they stay over the exec. Else they would end this process from then on until Run ignores them.
	for _, which := range meantForDaemon {
		ignore(which)
	}
	return syscall.Exec(itself, args, append(os.Environ(), variable+"="+strconv.Itoa(socket)))
}

// Me is what Become has said, in the process that it has made. ok is false in any other.
func Me() (socket int, pids []int, ok bool) {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return -1, nil, false
	}
	socket, err := strconv.Atoi(text)
	for _, arg := range os.Args[min(2, len(os.Args)):] {
		if pid, bad := strconv.Atoi(arg); bad == nil {
			pids = append(pids, pid)
		}
	}
	return socket, pids, err == nil
}
