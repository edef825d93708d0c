package fuse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Where programs find the files. A FUSE file system is mounted by mount(2) itself, without a helper program, by a user
// who may mount. It outlives its daemon: then a look at it gives ENOTCONN, until it is detached.

// ErrNoSupport means that the kernel lacks FUSE, or CUSE, or does not show it to this process.
var ErrNoSupport = errors.New("the kernel does not offer it (is the module loaded?)")

// Mount mounts a directory at a path, for all users, and gives its connection. The kernel checks permissions by what
// Files says of owners and modes. kind names the file system in the table of mounts.
func Mount(path, kind string) (*Conn, error) {
	fd, err := openKernel("/dev/fuse")
	if err != nil {
		return nil, err
	}
	options := fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d,allow_other,default_permissions",
		fd, unix.S_IFDIR|0o755, os.Geteuid(), os.Getegid())
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount(kind, path, "fuse."+kind, flags, options); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("mount of FUSE at %s: %w", path, err)
	}
	return NewConn(fd), nil
}

// Detach takes the mount at a path away. Files that are open stay open, and their connection goes on.
func Detach(path string) error {
	if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	return nil
}

// Stale reports whether a path leads to a file whose daemon is dead. What the kernel remembers of it does not count.
func Stale(path string) bool {
	var s unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_FORCE_SYNC, unix.STATX_BASIC_STATS, &s)
	return errors.Is(err, unix.ENOTCONN)
}

// HasCUSE reports whether the kernel offers CUSE.
func HasCUSE() bool { return unix.Access("/dev/cuse", unix.R_OK|unix.W_OK) == nil }

// MakeDevice asks for a character device. After Begin it is there: /dev/name in a devtmpfs, for root only. It goes when
// the connection is closed or its daemon dies.
func MakeDevice(name string) (*Conn, error) {
	if strings.ContainsAny(name, "\x00\n") || name == "" {
		return nil, fmt.Errorf("%q is no name for a device", name)
	}
	fd, err := openKernel("/dev/cuse")
	if err != nil {
		return nil, err
	}
	c := NewConn(fd)
	c.cuse = name
	return c, nil
}

func openKernel(path string) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return -1, fmt.Errorf("%s: %w", path, ErrNoSupport)
	case err != nil:
		return -1, fmt.Errorf("%s: %w", path, err)
	}
	return fd, nil
}
