package loop

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/rules"
)

// Who a client is, for rules. User and groups are what the kernel noted at the connect. Program and control group are read
// in /proc, and a number of a process can be used again: so they are known only if the kernel gives a descriptor of the
// process (a pidfd) and that process is still there after reading. A path is no proof either, for a process with a file system
// of its own can call any file what it likes. So the file that runs must be the very file that a rule names.
//
// Nothing here waits for anybody else's file system: the file of a client is never read, and only files that rules name
// are looked for.

// fileID tells files apart.
type fileID struct {
	major, minor uint32
	inode        uint64
}

// programs are the paths of those that rules name.
type programs map[string]bool

func newPrograms(set *rules.Set) programs {
	p := programs{}
	for i := range set.Rules {
		for _, path := range set.Rules[i].Programs {
			p[path] = true
		}
	}
	return p
}

func fileAt(dir int, path string, flags int) (fileID, bool) {
	var s unix.Statx_t
	if err := unix.Statx(dir, path, flags, unix.STATX_INO, &s); err != nil {
		return fileID{}, false
	}
	return fileID{s.Dev_major, s.Dev_minor, s.Ino}, true
}

// of is the program of a process; "" when it cannot be found out. Where no rule names it, it may be called what it likes.
func (p programs) of(pid uint32) string {
	link := "/proc/" + strconv.Itoa(int(pid)) + "/exe"
	var text [unix.PathMax]byte
	n, err := unix.Readlink(link, text[:])
	if err != nil || n == len(text) {
		return ""
	}
	path := string(text[:n])
	if !p[path] && !p[strings.TrimSuffix(path, " (deleted)")] { // so the kernel calls one whose place another has taken
		return path
	}
	fd, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	runs, ok := fileAt(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC)
	if named, there := fileAt(unix.AT_FDCWD, path, 0); !ok || !there || named != runs {
		return "" // it is called so where it comes from, but is another
	}
	return path
}

// cgroupOf is the control group of a process; "" when it cannot be found out.
func cgroupOf(pid uint32) string {
	var text [8192]byte
	n := readProc(int(pid), "cgroup", text[:])
	if n == len(text) {
		return ""
	}
	return cgroupIn(text[:n])
}

// cgroupIn finds the control group that systemd has given a process in what /proc says. Where the one hierarchy of today (0) is
// not what systemd uses, everybody is at its root, and systemd's own says more. There may also be one of that name which nobody uses.
func cgroupIn(text []byte) string {
	path := ""
	for line := range bytes.Lines(text) {
		_, of, _ := bytes.Cut(bytes.TrimSuffix(line, []byte{'\n'}), []byte{':'})
		if p, ok := bytes.CutPrefix(of, []byte{':'}); ok && (path == "" || string(p) != "/") {
			path = string(p)
		} else if p, ok := bytes.CutPrefix(of, []byte("name=systemd:")); ok && (path == "" || path == "/") {
			path = string(p)
		}
	}
	if strings.HasPrefix(path+"/", "/../") {
		return "" // it is outside of the part that the daemon, in a container, sees
	}
	return path
}

// sameProcess calls read while the process at the other end of a socket is known to be the one of that number, and
// reports whether it was.
func sameProcess(fd int, read func()) bool {
	pidfd, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD) // closed on exec, as the kernel makes it
	if err != nil {
		return false // a kernel before 6.5
	}
	defer unix.Close(pidfd)
	read()
	err = unix.PidfdSendSignal(pidfd, 0, nil, 0)
	return err == nil || err == unix.EPERM
}

// identify is for a client at the other end of a socket.
func (r *ruling) identify(fd int, pid, uid, gid uint32) rules.Identity {
	who := rules.Identity{UID: uid, Groups: append([]uint32{gid}, peerGroups(fd)...)}
	if !r.asksProgram && !r.asksUnit {
		return who
	}
	var program, cgroup string
	if pid != 0 && sameProcess(fd, func() {
		if r.asksProgram {
			program = r.programs.of(pid)
		}
		if r.asksUnit {
			cgroup = cgroupOf(pid)
		}
	}) {
		who.Program, who.Cgroup = program, cgroup
	}
	return who
}
