package server

import (
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/sock"
)

// systemd can make the sockets before the daemon runs and hand them over: clients then connect while it starts, and no
// connection is refused while it restarts. Which bus a socket is for, its file name says.
//
// The hand-over is read here and not by go-systemd's activation package, because that one also serves TLS listeners:
// it would put crypto/tls into this daemon, for 25 lines, and a megabyte into its memory.

const firstHandedOver = 3 // SD_LISTEN_FDS_START

// HandedOver gives the sockets that the process was started with, as LISTEN_PID and LISTEN_FDS (read through getenv)
// tell: none when they are not for this process. A descriptor that is no listening stream socket called bus<N>.sock is
// an error. Call it once, before anything opens a descriptor.
func HandedOver(pid int, getenv func(string) string) ([]Listener, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("LISTEN_FDS is %q", getenv("LISTEN_FDS"))
	}
	var all []Listener
	for fd := firstHandedOver; fd < firstHandedOver+n; fd++ {
		unix.CloseOnExec(fd)
		bus, err := busOfListener(fd)
		if err != nil {
			return nil, fmt.Errorf("descriptor %d of %d handed over: %w", fd, n, err)
		}
		all = append(all, Listener{Bus: bus, FD: fd})
	}
	return all, nil
}

func busOfListener(fd int) (bus int, err error) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, fmt.Errorf("no socket: %w", err)
	}
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || kind != unix.SOCK_STREAM || listens == 0 {
		return 0, fmt.Errorf("no stream socket that listens")
	}
	path, err := sock.Path(fd)
	if err != nil {
		return 0, err
	}
	base := filepath.Base(path)
	number, _ := rundir.BusNumber(base)
	bus, err = strconv.Atoi(number)
	if err != nil || bus < 0 || bus >= MaxBuses || base != rundir.SocketName(uint32(bus)) {
		return 0, fmt.Errorf("%q is not bus<N>.sock with N from 0 to %d", path, MaxBuses-1)
	}
	return bus, nil
}
