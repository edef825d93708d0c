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
// The pid inside is only for the error message. Whoever can open the file, if only to read it, can lock it, and would have it
// as soon as this daemon is killed; then none could start. So it is nobody else's.

const (
	lockName = "kbusd.lock"
	lockPerm = 0o600
)

type dirLock struct {
	file *os.File
	mine mine
}

// ErrDirInUse means that another server owns the runtime directory.
var ErrDirInUse = errors.New("another kbusd serves this directory")

// lockDir makes the runtime directory, if need be, and locks it.
func lockDir(dir string) (*dirLock, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("runtime directory: %w", err)
	}
	path := filepath.Join(dir, lockName)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, lockPerm)
		if err != nil {
			return nil, fmt.Errorf("lock file: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			err = inUse(dir, f, err)
			f.Close()
			return nil, err
		}
		l := &dirLock{file: f, mine: mine{path: path}}
		l.mine.made, err = f.Stat()
		if err == nil && !l.mine.isThere() { // its owner removed it between our open and our lock
			f.Close()
			continue
		}
		if err == nil {
			err = l.sign()
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock file: %w", err)
		}
		return l, nil
	}
}

// sign writes the number of this process into the file, and takes away what others could do with one of a daemon before.
func (l *dirLock) sign() error {
	err := l.file.Chmod(lockPerm)
	if err == nil {
		err = l.file.Truncate(0)
	}
	if err == nil {
		_, err = l.file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return err
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

// unlock removes the file while it is still locked, so no process ever locks a file that is about to go. A file that is
// not ours any more is the lock of another daemon, and stays.
func (l *dirLock) unlock() {
	l.mine.remove()
	l.file.Close()
}
