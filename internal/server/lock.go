package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// One server owns a runtime directory, and a lock on a file in it says which. The kernel drops the lock when the
// process ends, however it ends, so a dead daemon never stands in the way: that is why it is a lock and not a pid file.
// The pid inside is only for the error message.

const lockName = "kbusd.lock"

type dirLock struct{ file *os.File }

// ErrDirInUse means that another server owns the runtime directory.
var ErrDirInUse = errors.New("another kbusd serves this directory")

// lockDir makes the runtime directory, if need be, and locks it.
func lockDir(dir string) (*dirLock, error) {
	if err := os.MkdirAll(dir, dirPerm); err != nil {
		return nil, fmt.Errorf("runtime directory: %w", err)
	}
	path := filepath.Join(dir, lockName)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock file: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			err = inUse(dir, f, err)
			f.Close()
			return nil, err
		}
		if !isAt(f, path) { // its owner removed it between our open and our lock
			f.Close()
			continue
		}
		if err := f.Truncate(0); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock file: %w", err)
		}
		fmt.Fprintf(f, "%d\n", os.Getpid())
		return &dirLock{f}, nil
	}
}

func inUse(dir string, f *os.File, err error) error {
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("lock file: %w", err)
	}
	text, _ := io.ReadAll(io.LimitReader(f, 32))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return fmt.Errorf("%s: %w (pid %d)", dir, ErrDirInUse, pid)
	}
	return fmt.Errorf("%s: %w", dir, ErrDirInUse)
}

func isAt(f *os.File, path string) bool {
	ours, err1 := f.Stat()
	there, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(ours, there)
}

// unlock removes the file while it is still locked, so nobody ever locks a file that is about to go.
func (l *dirLock) unlock() {
	os.Remove(l.file.Name())
	l.file.Close()
}
