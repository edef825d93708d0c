package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/server/loop"
)

// A bus's socket gets its owner and permissions between bind and listen: until it listens no client can connect, so at
// no moment can a client come in that may not.

// listenOn makes the socket at path. A socket file that a dead daemon left is replaced; one with a live process behind
// it, or a file that is no socket, is not.
func listenOn(path string, mode fs.FileMode, group int) (_ loop.Socket, _ mine, err error) {
	none := loop.Socket{FD: -1}
	if err := removeStale(path); err != nil {
		return none, mine{}, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return none, mine{}, fmt.Errorf("socket %s: %w", path, err)
	}
	var file mine
	defer func() {
		if err != nil {
			file.remove()
			unix.Close(fd)
		}
	}()
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		if errors.Is(err, unix.EINVAL) && len(path) > rundir.MostPathBytes {
			return none, mine{}, fmt.Errorf("socket %s: the path has %d bytes; the kernel takes %d", path, len(path), rundir.MostPathBytes)
		}
		return none, mine{}, fmt.Errorf("socket %s: %w", path, err)
	}
	if file, err = madeNow(path); err != nil {
		return none, mine{}, fmt.Errorf("socket: %w", err)
	}
	if err := permit(path, mode, group); err != nil {
		return none, mine{}, err
	}
	if err := unix.Listen(fd, loop.Backlog); err != nil {
		return none, mine{}, fmt.Errorf("socket %s: %w", path, err)
	}
	return loop.Socket{FD: fd, Remove: file.remove}, file, nil
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

// removeStale removes a socket file without a process that listens.
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
