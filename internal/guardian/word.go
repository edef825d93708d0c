// Package guardian is the process that looks after programs which it has started as a daemon, when another daemon has taken over
// from it.
//
// Only the parent of a process can wait for it and learn how it ended, and the kernel ends the programs with their parent. So the
// old daemon stays what it is to them, and nothing else: it becomes a guardian, by executing its own program anew (become.go), and
// until none of its programs is left it does what the new daemon tells it, and tells that one who has ended, and how (run.go).
// When there is no daemon any more it ends them.
//
// A guardian is often of an older version than its daemon, and a daemon may have guardians of several versions, so what they say to
// each other stays as it is for ever: here, and in docs/handover.md.
package guardian

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// What they say goes through a socket that keeps messages apart (SOCK_SEQPACKET): three numbers of 32 bits, in the byte order of
// the machine. What a later version puts behind them is passed over, and so is a kind that is not known.

// Kind is what a word is about.
type Kind uint32

// The kinds.
const (
	Ended  Kind = 1 + iota // of a guardian: the program has ended; Value is its wait status, as wait4 gives it
	Signal                 // of a daemon: send the process group of the program the signal Value
)

// Word is a message.
type Word struct {
	Kind  Kind
	PID   uint32 // of the program
	Value uint32
}

const wordBytes = 12

// Send says a word.
func Send(socket int, w Word, flags int) error {
	var b [wordBytes]byte
	for i, n := range [...]uint32{uint32(w.Kind), w.PID, w.Value} {
		binary.NativeEndian.PutUint32(b[4*i:], n)
	}
	for {
		if err := unix.Sendto(socket, b[:], flags|unix.MSG_NOSIGNAL, nil); err != unix.EINTR {
			return err
		}
	}
}

// Receive gives the next word. ok is false, without an error, if there will be none any more.
func Receive(socket int) (w Word, ok bool, err error) {
	var b [wordBytes]byte
	for reset := false; ; {
		n, err := unix.Read(socket, b[:]) // the rest of a longer one is gone
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECONNRESET && !reset: // it has ended, and not read all; what it has said comes behind that
			reset = true
			continue
		case err == unix.ECONNRESET:
			return w, false, nil
		case err != nil || n == 0:
			return w, false, err
		}
		number := func(i int) uint32 { return binary.NativeEndian.Uint32(b[4*i:]) }
		return Word{Kind(number(0)), number(1), number(2)}, true, nil
	}
}

// Pair makes both ends: that of the guardian, and that of the daemon, which is not waited at.
func Pair() (guardians, daemons int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, err
	}
	return fds[0], fds[1], unix.SetNonblock(fds[1], true)
}
