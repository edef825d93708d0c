package server

import (
	"fmt"
	"strings"

	"kbus.example/kbus/internal/rundir"
)

// A runtime directory that cannot hold a socket is refused before anything is made there.

// checkDir refuses directories in which no client could find a bus.
func checkDir(dir string) error {
	path := rundir.SocketPath(dir, 0)
	switch {
	case strings.HasPrefix(dir, "@"):
		return fmt.Errorf("runtime directory %s: sockets are files in a directory; names of abstract sockets, which begin with @, are not supported", dir)
	case len(path) > rundir.MostPathBytes:
		return fmt.Errorf("runtime directory %s: the path of a socket there has %d bytes; the kernel takes %d: use a shorter one",
			dir, len(path), rundir.MostPathBytes)
	}
	return nil
}
