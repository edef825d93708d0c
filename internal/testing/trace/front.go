package trace

import (
	"syscall"

	"kbus.example/kbus/message"
)

// What a front end implements to be driven by a trace. It is cut like the operations of the original, because that is
// what a trace records, but it prescribes no transport: bytes may reach the bus through a socket, a device or a call.
// An errno of 0 is success. A front end that breaks down rather than refuses ends its test itself.

// Start makes a fresh system of buses, as the configuration of a trace wants it.
type Start func(Config) System

// System is all buses of one trace.
type System interface {
	// Open opens a Ksock on a device for "r", "w" or "rw" and tells its id.
	Open(device int, mode string) (k Ksock, id uint32, err syscall.Errno)
	// Bindings and Stats are the two text reports of all devices, in order (R8.1).
	Bindings() string
	Stats() string
	// End ends the system; the trace is over. Ksocks may still be open.
	End()
}

// Follower is a System that gets each operation, as the line of its trace, before it is performed; so a system that
// breaks down can name the line.
type Follower interface {
	Follow(operation string)
}

// Ksock is one open Ksock. Names are bytes, valid or not.
type Ksock interface {
	Close()
	Bind(name []byte, replier uint32) syscall.Errno
	Unbind(name []byte, replier uint32) syscall.Errno
	// Replier gives what the call returns, and the id.
	Replier(name []byte) (ret int, id uint32, err syscall.Errno)

	// Write takes all of p or fails. It is called once for each piece of a message.
	Write(p []byte) (n int, err syscall.Errno)
	// Send gives the id with success and with EAGAIN.
	Send() (id message.ID, err syscall.Errno)
	// Next gives what NEXTMSG returns, and the length.
	Next() (ret int, length uint32, err syscall.Errno)
	Read(p []byte) (n int, err syscall.Errno)
	LastSent() (id message.ID, err syscall.Errno)
	// Poll drives a pending send, then tells what is ready.
	Poll() (readable, writable bool)

	// Value performs an operation that takes a number, gives one, or both: ksockid, lenleft, nummsgs, unrepliedto,
	// newdevice, maxmsgs, msgonlyonce, verbose, reportreplierbinds or maxmsgsize. Those that take none ignore in.
	Value(op string, in uint32) (out uint32, err syscall.Errno)
	// Plain performs discard or reset.
	Plain(op string) syscall.Errno
	// Unknown performs an ioctl of a number that does not exist.
	Unknown(code uint32) syscall.Errno
}

// Placer is a Ksock whose pointy messages can point at something: Put puts a copy of b where the front end will find
// it when it is sent, and gives the address; PutLast does so at the very end of what can be read there. A front end
// without memory to share replays Trace.WithoutPointers.
type Placer interface {
	Put(b []byte) (addr uint64)
	PutLast(b []byte) (addr uint64)
}

// Whole is a Ksock that also deals in whole messages. Messages that are well-formed and not written in pieces then
// go through SendMessage, and those that are read at once through Receive.
type Whole interface {
	SendMessage(h *message.Header, name, data []byte) (id message.ID, err syscall.Errno)
	// Receive takes the next message; ok is false when there is none.
	Receive() (h message.Header, name, data []byte, ok bool, err syscall.Errno)
}
