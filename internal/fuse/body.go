package fuse

import "bytes"

// Requests taken apart. Each has a header, which says how long it is, and a body by opcode. What is too short for its
// opcode is answered with an error; only a header that contradicts itself ends the connection.

// Caller is the process that made a request. TID is the number of its thread in our PID namespace; 0 for a process
// outside of it, and for what the kernel does by itself.
type Caller struct{ UID, GID, TID uint32 }

type request struct {
	opcode uint32
	unique uint64
	node   uint64
	caller Caller
	body   []byte
}

func parseRequest(b []byte) (r request, err error) {
	if len(b) < requestHeaderBytes {
		return r, malformed("%d bytes", len(b))
	}
	if n := native.Uint32(b); uint64(n) != uint64(len(b)) {
		return r, malformed("%d bytes that say they are %d", len(b), n)
	}
	end := len(b) - 8*int(native.Uint16(b[36:])) // extensions stand at the end; none is looked at
	if end < requestHeaderBytes {
		return r, malformed("extensions longer than itself")
	}
	return request{
		opcode: native.Uint32(b[4:]),
		unique: native.Uint64(b[8:]),
		node:   native.Uint64(b[16:]),
		caller: Caller{UID: native.Uint32(b[24:]), GID: native.Uint32(b[28:]), TID: native.Uint32(b[32:])},
		body:   b[requestHeaderBytes:end],
	}, nil
}

// name is a body that is a name, with its terminator.
func (r *request) name() (name []byte, ok bool) {
	n := bytes.IndexByte(r.body, 0)
	if n < 0 {
		return nil, false
	}
	return r.body[:n], true
}

// word and long read a field of the body, which has been checked to be long enough.
func (r *request) word(at int) uint32 { return native.Uint32(r.body[at:]) }
func (r *request) long(at int) uint64 { return native.Uint64(r.body[at:]) }

// leastBody is how long the bodies that are looked at are at least, by opcode.
var leastBody = [...]int{
	opSetattr: 88, opOpen: 8, opRead: 40, opWrite: 40, opRelease: 24, opInit: 16, opReaddir: 40, opIoctl: 32, opPoll: 24,
}

func (r *request) short() bool {
	if r.opcode == opCuseInit {
		return len(r.body) < leastBody[opInit]
	}
	return r.opcode < uint32(len(leastBody)) && len(r.body) < leastBody[r.opcode]
}

// SetAttr is what a caller wants a file to become. A field that is nil stays as it is.
type SetAttr struct{ Mode, UID, GID *uint32 }

const (
	setMode = 1 << 0
	setUID  = 1 << 1
	setGID  = 1 << 2
)

func (r *request) setAttr() (s SetAttr) {
	field := func(bit uint32, at int) *uint32 {
		if r.word(0)&bit == 0 {
			return nil
		}
		v := r.word(at)
		return &v
	}
	return SetAttr{Mode: field(setMode, 68), UID: field(setUID, 76), GID: field(setGID, 80)}
}

// Ioctl is one call of ioctl(2). In is what lay at Arg, as many bytes as the command's number says when it says that it
// writes; it is valid during the call.
type Ioctl struct {
	Caller
	Command uint32
	Compat  bool // a 32-bit program calls
	Arg     uint64
	In      []byte
}

const ioctlCompat = 1 << 0

// ioctl gives the call, and the most bytes that may be answered.
func (r *request) ioctl() (call Ioctl, room uint32, ok bool) {
	in := r.body[32:]
	if uint64(r.word(24)) > uint64(len(in)) {
		return call, 0, false
	}
	return Ioctl{
		Caller: r.caller, Command: r.word(12), Compat: r.word(8)&ioctlCompat != 0, Arg: r.long(16), In: in[:r.word(24)],
	}, r.word(28), true
}
