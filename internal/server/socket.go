package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// A bus's socket gets its owner and permissions between bind and listen: until it listens nobody can connect, so there
// is no moment at which somebody comes in who should not.

const backlog = 512

// listenOn makes the socket at path. A socket file that a dead daemon left is replaced; one behind which somebody
// answers, or a file that is no socket, is not.
func listenOn(path string, mode fs.FileMode, group int) (fd int, err error) {
	if err := removeStale(path); err != nil {
		return -1, err
	}
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
			fd = -1
		}
	}()
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		if errors.Is(err, unix.EINVAL) && len(path) > 107 {
			return fd, fmt.Errorf("socket %s: the path has %d bytes; the kernel takes 107", path, len(path))
		}
		return fd, fmt.Errorf("socket %s: %w", path, err)
	}
	if err := permit(path, mode, group); err != nil {
		os.Remove(path)
		return fd, err
	}
	if err := unix.Listen(fd, backlog); err != nil {
		os.Remove(path)
		return fd, fmt.Errorf("socket %s: %w", path, err)
	}
	return fd, nil
}

// permit sets group (-1: leave it) and permissions of a socket file.
func permit(path string, mode fs.FileMode, group int) error {
	if group >= 0 {
		if err := os.Lchown(path, -1, group); err != nil {
			return fmt.Errorf("socket group: %w", err)
		}
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("socket mode: %w", err)
	}
	return nil
}

// removeStale removes a socket file behind which nobody listens any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is in the way and is no socket", path)
	}
	if err := tryConnect(path); err == nil || !errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("%s: somebody listens there already", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("stale socket: %w", err)
	}
	return nil
}

func tryConnect(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// groupID is the number of a group given by name or number; -1 for "".
func groupID(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return -1, fmt.Errorf("group: %w", err)
	}
	return strconv.Atoi(g.Gid)
}
