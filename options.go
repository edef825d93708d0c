package kbus

import (
	"os"

	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/wire"
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
	original  bool
	keepLate  bool
}

func resolve(opts []Option) settings {
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

// ReadOnly opens a Ksock that cannot send; it can do everything else, even bind as Replier.
func ReadOnly() Option { return func(s *settings) { s.mode = ReadMode } }

// WriteOnly opens a Ksock that cannot receive.
func WriteOnly() Option { return func(s *settings) { s.mode = WriteMode } }

// Rings says whether to talk to the daemon through shared memory, if it offers that, rather than through the socket. It
// does by default, unless KBUS_RINGS=off is in the environment. Nothing but the speed differs.
func Rings(on bool) Option { return func(s *settings) { s.rings = on } }

// Original makes the Ksock one like those of the original KBUS: it may bind and send names of letters and digits only, and
// if its user may administer the bus and it listens for replier bind events, nobody can become a Replier while its queue
// is full (ErrEventUndelivered), where the event would otherwise be set aside. Its messages do not tell what was missed
// before them; see Queue.Missed. It is for programs that play the original's.
func Original() Option { return func(s *settings) { s.original = true } }

// KeepLateAnswer has the answer to a Call that was given up, because its context had ended, come as any other message, and
// hold its place in the queue until then. Without it such an answer is dropped by the bus.
func KeepLateAnswer() Option { return func(s *settings) { s.keepLate = true } }

// ReadAhead lets Receive, Messages and Serve take up to that many messages from the queue at once, if they are there,
// and keep those after the first for the next calls. It makes a busy Listener several times faster. All of them count
// as read from then on: they have left the queue, they stay when a binding is removed, and if the Ksock closes,
// Requests among them give Ignored and not GoneAway. Without it every message is taken when it is asked for.
func ReadAhead(messages uint32) Option { return func(s *settings) { s.readAhead = max(messages, 1) } }

// Mode is what a Ksock was opened for.
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

// RuntimeDir is where the daemon's sockets lie unless an option says otherwise: $KBUS_DIR; else /run/kbus for root; else
// kbus in $XDG_RUNTIME_DIR, which is /run/user/<uid> if it is not set. If a user has no such directory of their own, it
// is /run/kbus if that is there.
func RuntimeDir() string { return rundir.OfClient() }

// SocketPath is the socket of one bus in such a directory.
func SocketPath(dir string, bus BusNumber) string { return rundir.SocketPath(dir, uint32(bus)) }
