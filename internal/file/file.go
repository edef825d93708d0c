// Package file is what a Ksock is to a program that knows only open, read, write, ioctl and poll: bytes written in any
// pieces until they make a message, and messages read in any pieces (part 3 of the specification).
//
// The bus knows only whole messages. A File holds what lies between the two: the message being written until SEND,
// and the message being read from NEXTMSG on. Once SEND has been tried, a message that must wait is the bus's alone:
// the File forgets its bytes, so there is one copy and one truth about whether the Ksock is sending.
//
// The package does no I/O and, like the bus below it, is not safe for concurrent use; the owner of the bus owns its
// Files.
package file

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// Mode says which directions a File was opened for (R3.8). It limits read, write and writability and nothing else:
// no ioctl looks at it (R3.6).
type Mode uint8

const (
	Read      Mode = 1
	Write     Mode = 2
	ReadWrite Mode = Read | Write
)

// File is one open Ksock as bytes.
type File struct {
	Bus   *bus.Bus
	Ksock *bus.Ksock
	Mode  Mode

	draft   *draft // the message being written; nil until the first write
	reading unread // the message being read
	pointy  bool   // the last message sent was pointy; only the stats report wants to know
	word    [12]byte
	fault   string // what was wrong with the name that was refused last, for people
}

// New makes the File of a Ksock that is open on b. It takes no memory for messages until they are written or read.
func New(b *bus.Bus, k *bus.Ksock, mode Mode) *File {
	return &File{Bus: b, Ksock: k, Mode: mode}
}

// Close drops the message being read and the one being written, and closes the Ksock (R6.7).
func (f *File) Close() {
	f.reading = unread{}
	f.draft = nil
	f.Bus.Close(f.Ksock)
}

// Poll drives a pending send and then says whether NEXTMSG would find a message and whether write would be accepted
// (R3.90-3.92, F10). A File that is not open for writing is never writable; one not open for reading can be readable.
func (f *File) Poll() (readable, writable bool) {
	readable, sending := f.Bus.Poll(f.Ksock)
	return readable, f.Mode&Write != 0 && !sending
}

// NameFault says what was wrong with the name for which the last Write or Send has given ErrBadName.
func (f *File) NameFault() string { return f.fault }

// checkName is the rule for names of the Ksock.
func (f *File) checkName(name []byte) message.Condition {
	c := f.Ksock.CheckName(name)
	if c != message.OK {
		f.fault = message.NameFault(name, f.Ksock.Owner().Original, false)
	}
	return c
}

// keptBytes is how large a buffer may be to be kept for the next message: a small one saves an allocation for each
// message, a large one would tie up memory for as long as the Ksock is open.
const keptBytes = 4096

// emptied is buf for the next message.
func emptied(buf []byte) []byte {
	if cap(buf) > keptBytes {
		return nil
	}
	return buf[:0]
}

// HeldBytes is what the message being written and the one being read take, for limits on memory.
func (f *File) HeldBytes() int64 {
	n := len(f.reading.entire)
	if f.draft != nil {
		n += len(f.draft.buf)
	}
	return int64(n)
}
