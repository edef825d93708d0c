package kbus

import (
	"os"
	"path/filepath"
	"strconv"

	"kbus/internal/wire"
)

// A bus is found by its number alone: its socket lies in the runtime directory, which daemon and clients work out by
// the same rule. The options here say what else may differ from one Open to the next.

// Option changes how Open and Observe go about it.
type Option func(*settings)

type settings struct {
	dir       string
	mode      Mode
	readAhead uint32
	rings     bool
}

func settle(opts []Option) settings {
	s := settings{mode: ReadWriteMode, readAhead: 1, rings: os.Getenv("KBUS_RINGS") != "off"}
	for _, o := range opts {
		o(&s)
	}
	if s.dir == "" {
		s.dir = RuntimeDir()
	}
	return s
}

// Dir names the directory with the sockets of the daemon, instead of RuntimeDir. A bus inside the process ignores it.
func Dir(path string) Option { return func(s *settings) { s.dir = path } }

// ReadOnly opens a Ksock that cannot send; it can do everything else, even bind as Replier (R3.6).
func ReadOnly() Option { return func(s *settings) { s.mode = ReadMode } }

// WriteOnly opens a Ksock that cannot receive.
func WriteOnly() Option { return func(s *settings) { s.mode = WriteMode } }

// Rings says whether to talk to the daemon through shared memory, if it offers that, rather than through the socket. It
// does by default, unless KBUS_RINGS=off is in the environment. Nothing but the speed differs.
func Rings(on bool) Option { return func(s *settings) { s.rings = on } }

// ReadAhead lets Receive, Messages and Serve take up to that many messages from the queue at once, if they are there,
// and keep those after the first for the next calls. It makes a busy Listener several times faster. All of them count
// as read from then on: they have left the queue, they stay when a binding is removed, and if the Ksock closes,
// Requests among them give Ignored and not GoneAway. Without it every message is taken when it is asked for.
func ReadAhead(messages uint32) Option { return func(s *settings) { s.readAhead = max(messages, 1) } }

// Mode is what a Ksock was opened for (R3.8).
type Mode uint8

// The modes.
const (
	ReadMode      Mode = wire.ModeRead
	WriteMode     Mode = wire.ModeWrite
	ReadWriteMode Mode = wire.ModeRead | wire.ModeWrite
)

// String gives "read", "write" or "read/write".
func (m Mode) String() string {
	switch m {
	case ReadMode:
		return "read"
	case WriteMode:
		return "write"
	case ReadWriteMode:
		return "read/write"
	}
	return "none"
}

// systemDir is where the machine's own daemon has its sockets.
const systemDir = "/run/kbus"

// RuntimeDir is where the daemon's sockets lie unless an option says otherwise: $KBUS_DIR; else /run/kbus for root; else
// kbus in $XDG_RUNTIME_DIR, which is /run/user/<uid> if it is not set. If a user has no such directory of their own, it
// is /run/kbus if that is there.
func RuntimeDir() string {
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
	if own := filepath.Join(dir, "kbus"); isDir(own) || !isDir(systemDir) {
		return own
	}
	return systemDir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// SocketPath is the socket of one bus in such a directory.
func SocketPath(dir string, bus uint32) string {
	return filepath.Join(dir, "bus"+strconv.FormatUint(uint64(bus), 10)+".sock")
}
