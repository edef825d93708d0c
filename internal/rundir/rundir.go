// Package rundir is the rule by which daemon, library and command line find each other: a bus is known by its number
// alone, and its socket lies in the runtime directory, which all of them work out from the environment. One copy of the
// rule means that no two of them can differ.
package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// systemDir is where the machine's own daemon has its sockets.
const systemDir = "/run/kbus"

// ErrNone means that nothing says where the sockets belong.
var ErrNone = errors.New("no runtime directory: set KBUS_DIR or XDG_RUNTIME_DIR, or name one with --dir")

// OfDaemon is where a daemon puts its sockets when nobody says otherwise: $KBUS_DIR, else /run/kbus for root, else
// $XDG_RUNTIME_DIR/kbus; ErrNone when there is none of these.
func OfDaemon() (string, error) {
	if dir := os.Getenv("KBUS_DIR"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return systemDir, nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return own(dir), nil
	}
	return "", ErrNone
}

// OfClient is where a client looks for them: $KBUS_DIR; else /run/kbus for root; else kbus in $XDG_RUNTIME_DIR, which is
// /run/user/<uid> if it is not set. If a user has no such directory of their own, it is /run/kbus if that is there.
func OfClient() string {
	if dir := os.Getenv("KBUS_DIR"); dir != "" {
		return dir
	}
	uid := os.Getuid()
	if uid == 0 {
		return systemDir
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = "/run/user/" + strconv.Itoa(uid)
	}
	if mine := own(dir); isDir(mine) || !isDir(systemDir) {
		return mine
	}
	return systemDir
}

func own(dir string) string { return filepath.Join(dir, "kbus") }

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

const prefix, suffix = "bus", ".sock"

// SocketName is the name of a bus's socket in the runtime directory.
func SocketName(bus uint32) string { return prefix + strconv.FormatUint(uint64(bus), 10) + suffix }

// SocketPath is the socket of one bus in such a directory.
func SocketPath(dir string, bus uint32) string { return Path(dir, SocketName(bus)) }

// Path is that of any socket in such a directory. Where "./@a" is a directory, "@a" would be an abstract socket.
func Path(dir, name string) string {
	path := filepath.Join(dir, name)
	if strings.HasPrefix(path, "@") && strings.HasPrefix(dir, ".") {
		return "./" + path
	}
	return path
}

// BusNumber is what stands between the fixed parts of the name of a socket. It reports false when those are not there.
func BusNumber(name string) (number string, ok bool) {
	number, isBus := strings.CutPrefix(name, prefix)
	number, isSocket := strings.CutSuffix(number, suffix)
	return number, isBus && isSocket
}
