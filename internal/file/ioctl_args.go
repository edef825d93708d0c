package file

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// The arguments of ioctls lie in the caller's memory: a word in, out or both, a message id out, or a bind request
// {is_replier, name_len, name pointer} (R3.3). Everything is read before the bus does anything, so an argument that
// cannot be read changes nothing.

// ioctl is one call while it is being performed.
type ioctl struct {
	*File
	arg  uint64
	mem  Memory
	host Host
}

// read fills p from the caller's memory.
func (i ioctl) read(addr uint64, p []byte) message.Condition {
	if i.mem == nil {
		return message.ErrBadAddress
	}
	return i.mem.ReadAt(addr, p)
}

// tell is the result of an operation that only says a number.
func (i ioctl) number(v uint32) (int32, []byte, message.Condition) {
	return 0, i.put(v), message.OK
}

func (i ioctl) put(words ...uint32) []byte {
	out := i.word[:0]
	for _, w := range words {
		out = native.AppendUint32(out, w)
	}
	return out
}

// set performs an operation that takes a word and gives one back. On a condition other than OK the caller's word is
// left alone (R3.77, R3.85).
func (i ioctl) set(do func(uint32) (uint32, message.Condition)) (int32, []byte, message.Condition) {
	var in [4]byte
	if c := i.read(i.arg, in[:]); c != message.OK {
		return 0, nil, c
	}
	v, c := do(native.Uint32(in[:]))
	if c != message.OK {
		return 0, nil, c
	}
	return i.number(v)
}

// request reads a bind request or bind query, up to and including the length of the name.
func (i ioctl) request() (isReplier bool, nameLen uint32, namePtr uint64, c message.Condition) {
	var in [16]byte
	if c = i.read(i.arg, in[:]); c != message.OK {
		return false, 0, 0, c
	}
	return native.Uint32(in[0:]) != 0, native.Uint32(in[4:]), native.Uint64(in[8:]), message.OK
}

// bind is BIND or UNBIND. The length of the name is judged before the name is read (R3.21); any is_replier but 0 means
// yes (F4).
func (i ioctl) bind(do func(*bus.Ksock, string, bool) message.Condition) (int32, []byte, message.Condition) {
	isReplier, n, at, c := i.request()
	switch {
	case c != message.OK:
		return 0, nil, c
	case n == 0:
		return 0, nil, message.ErrBadName
	case n > message.MaxNameBytes:
		return 0, nil, message.ErrNameTooLong
	}
	name := make([]byte, n)
	if c = i.read(at, name); c != message.OK {
		return 0, nil, c
	}
	return 0, nil, do(i.Ksock, string(name), isReplier)
}

// replier is REPLIER: it returns 1 or 0, and puts the id where the query has its first word (R3.31). An empty name is
// "too long", and validity is not looked at (R3.33).
func (i ioctl) replier() (int32, []byte, message.Condition) {
	_, n, at, c := i.request()
	switch {
	case c != message.OK:
		return 0, nil, c
	case n == 0, n > message.MaxNameBytes:
		return 0, nil, message.ErrNameTooLong
	}
	name := make([]byte, n)
	if c = i.read(at, name); c != message.OK {
		return 0, nil, c
	}
	id := i.Bus.Replier(string(name))
	return truth(id != 0), i.put(uint32(id)), message.OK
}

func (i ioctl) next() (int32, []byte, message.Condition) {
	length := i.Next()
	return truth(length != 0), i.put(length), message.OK
}

// send tells the id when the message was sent and when it waits, and nothing otherwise (R3.67).
func (i ioctl) send() (int32, []byte, message.Condition) {
	o := i.Send(i.mem)
	if o.Err != message.OK && o.Err != message.ErrPending {
		return 0, nil, o.Err
	}
	return 0, i.put(o.ID.Network, o.ID.Serial), o.Err
}

func (i ioctl) newDevice() (int32, []byte, message.Condition) {
	if c := i.Bus.MayMakeBuses(i.Ksock); c != message.OK {
		return 0, nil, c
	}
	n, c := i.host.NewBus(i.Ksock.Owner())
	if c != message.OK {
		return 0, nil, c
	}
	return i.number(n)
}

func truth(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
