package rundir

import (
	"fmt"
	"strings"
	"syscall"
)

// BadPath is what is no path of a socket in a directory. It is said before the kernel says so in fewer words.
type BadPath struct {
	Text  string
	Errno syscall.Errno
}

// Error says what is wrong with the path.
func (b *BadPath) Error() string { return b.Text }

// Unwrap gives the errno that the kernel would give.
func (b *BadPath) Unwrap() error { return b.Errno }

// MostPathBytes is how long the path of a socket may be: the kernel's own limit.
const MostPathBytes = 107

// CheckPath gives a *BadPath for what is no path of a socket in a directory, and nil for all others.
func CheckPath(path string) error {
	switch {
	case strings.HasPrefix(path, "@"):
		return &BadPath{"a socket of the daemon is a file in a directory; names of abstract sockets, which begin with @, are not supported",
			syscall.EINVAL}
	case strings.ContainsRune(path, 0):
		return &BadPath{"a path cannot hold a zero byte", syscall.EINVAL}
	case len(path) > MostPathBytes:
		return &BadPath{fmt.Sprintf("the path of the socket has %d bytes, and the kernel takes %d: use a shorter directory", len(path), MostPathBytes),
			syscall.ENAMETOOLONG}
	}
	return nil
}
