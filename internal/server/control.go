package server

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/handover"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/sock"
)

// The control socket lies beside the sockets of the buses. It is for a daemon that wants to take over, and for nobody else: who
// runs as another user is hung up on, for it would get all that anybody has said.

const (
	controlName    = "kbusd.ctl"
	controlPerm    = 0o600
	controlKind    = unix.SOCK_SEQPACKET | unix.SOCK_CLOEXEC
	controlBacklog = 16
)

// Control is a control socket.
type Control struct {
	listener *os.File
	mine     mine
}

// OpenControl makes the control socket of a server, in its directory.
func OpenControl(s *Server) (*Control, error) {
	dir := s.config.Dir
	path := rundir.Path(dir, controlName)
	if !s.lock.mine.isThere() { // another daemon may have come to the place, and that is its socket
		return nil, fmt.Errorf("control socket: the lock of %s is gone", dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, controlKind|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	c := &Control{listener: os.NewFile(uintptr(fd), path)}
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err == nil {
		c.mine, err = madeNow(path)
	}
	if err == nil {
		err = os.Chmod(path, controlPerm)
	}
	if err == nil {
		err = unix.Listen(fd, controlBacklog)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	return c, nil
}

// controlFrom makes a Control of a descriptor that was handed over; nil of none.
func controlFrom(fd int, dir string) (*Control, error) {
	if fd < 0 {
		return nil, nil
	}
	path := rundir.Path(dir, controlName)
	c := &Control{listener: os.NewFile(uintptr(fd), path)}
	if listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || listens == 0 {
		c.listener.Close()
		return nil, errors.New("control socket: it is none")
	}
	c.mine, _ = madeNow(path)
	return c, nil
}

// Close ends it, and takes its file away if that is still its own. On nil it does nothing.
func (c *Control) Close() {
	if c != nil {
		c.mine.remove()
		c.listener.Close()
	}
}

// IsThere reports whether others can find it.
func (c *Control) IsThere() bool { return c != nil && c.mine.isThere() }

// descriptor is that of the socket, which stays its own; -1 for nil.
func (c *Control) descriptor() int {
	if c == nil {
		return -1
	}
	fd := -1
	if raw, err := c.listener.SyscallConn(); err == nil {
		_ = raw.Control(func(of uintptr) { fd = int(of) })
	}
	return fd
}

// Accept waits for a daemon that wants to take over. pid is its process. The error is for a Control that is closed.
func (c *Control) Accept() (conn *handover.Conn, pid int, err error) {
	raw, err := c.listener.SyscallConn()
	if err != nil {
		return nil, 0, err
	}
	for {
		var fd int
		var failed error
		err := raw.Read(func(of uintptr) bool { // waits until it is true, or the socket is closed
			fd, failed = sock.Accept(int(of), unix.SOCK_CLOEXEC)
			return failed != unix.EAGAIN
		})
		switch {
		case err != nil:
			return nil, 0, err
		case failed == unix.EINTR, failed == unix.ECONNABORTED:
			continue
		case failed != nil:
			return nil, 0, failed
		}
		if conn, pid, err = admit(fd); err == nil {
			return conn, pid, nil
		}
	}
}

var errNotOwner = errors.New("not of the daemon's user")

func admit(fd int) (*handover.Conn, int, error) {
	who, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	conn, failed := handover.NewConn(fd)
	if failed != nil {
		return nil, 0, failed
	}
	if err == nil && who.Uid != uint32(os.Geteuid()) {
		err = errNotOwner
		conn.Refuse(fmt.Errorf("only user %d may take over from this daemon", os.Geteuid()))
	}
	if err != nil {
		conn.Close()
		return nil, 0, err
	}
	return conn, int(who.Pid), nil
}

// ErrNoDaemon is for a directory in which no daemon waits for one that takes over.
var ErrNoDaemon = errors.New("no kbusd that can be replaced serves this directory")

// AskToTakeOver connects to the daemon of a directory.
func AskToTakeOver(config Config) (*handover.Conn, error) {
	dir := config.Dir
	if dir == "" {
		var err error
		if dir, err = rundir.OfDaemon(); err != nil {
			return nil, err
		}
	}
	fd, err := unix.Socket(unix.AF_UNIX, controlKind, 0)
	if err != nil {
		return nil, err
	}
	if err = unix.Connect(fd, &unix.SockaddrUnix{Name: rundir.Path(dir, controlName)}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w: %w", dir, ErrNoDaemon, err)
	}
	return handover.NewConn(fd)
}
