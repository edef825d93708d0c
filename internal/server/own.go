package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Files in the runtime directory have names that the next daemon uses too, and the directory can be cleaned away under
// a daemon that runs. So at its end a daemon removes a file only while it is still the one that it made: the same
// device and inode. (The inode cannot come into use again meanwhile, since a descriptor still holds it.)

// mine is a file that this process has made, or the daemon from which it has taken over. The zero value is none.
type mine struct {
	path string
	made fs.FileInfo // nil: it was gone when we have taken over
}

func (m mine) none() bool { return m.path == "" }

// madeNow is for a file that this process has made at path a moment ago.
func madeNow(path string) (mine, error) {
	info, err := os.Lstat(path)
	return mine{path, info}, err
}

// isThere reports whether the file is still at its place.
func (m mine) isThere() bool {
	if m.made == nil {
		return false
	}
	there, err := os.Lstat(m.path)
	return err == nil && os.SameFile(m.made, there)
}

// remove removes the file if it is still there.
func (m mine) remove() {
	if m.isThere() {
		os.Remove(m.path)
	}
}

// makeDir makes a directory that every user may look into, and those above it, whatever umask the daemon was started with:
// the sockets are for other users, and their own mode says which. A directory that is there already stays as it is.
func makeDir(dir string) error {
	err := os.Mkdir(dir, dirPerm)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		if err = makeDir(filepath.Dir(dir)); err == nil {
			err = os.Mkdir(dir, dirPerm)
		}
	}
	switch info, stat := os.Stat(dir); {
	case err == nil:
		return openUp(dir)
	case stat != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is in the way and is no directory", dir)
	}
	return nil
}

// openUp gives a directory just made the mode that the umask took from it.
func openUp(dir string) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Fchmod(fd, dirPerm)
		unix.Close(fd)
	}
	if err != nil {
		return &fs.PathError{Op: "chmod", Path: dir, Err: err}
	}
	return nil
}
