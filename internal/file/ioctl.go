package file

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// Ioctl numbers of the original, on 64-bit: magic 'k', and a size that is always that of a pointer, whatever the
// argument really is (R3.2). A 32-bit program's numbers differ and are unknown here (R3.5).
const (
	IoctlReset              = 0x00006B01
	IoctlBind               = 0x40086B02
	IoctlUnbind             = 0x40086B03
	IoctlKsockID            = 0x80086B04
	IoctlReplier            = 0xC0086B05
	IoctlNextMsg            = 0x80086B06
	IoctlLenLeft            = 0x80086B07
	IoctlSend               = 0x80086B08
	IoctlDiscard            = 0x00006B09
	IoctlLastSent           = 0x80086B0A
	IoctlMaxMsgs            = 0xC0086B0B
	IoctlNumMsgs            = 0x80086B0C
	IoctlUnrepliedTo        = 0x80086B0D
	IoctlMsgOnlyOnce        = 0xC0086B0E
	IoctlVerbose            = 0xC0086B0F
	IoctlNewDevice          = 0x80086B10
	IoctlReportReplierBinds = 0xC0086B11
	IoctlMaxMsgSize         = 0xC0086B12
)

// IoctlMissed is ours, far from the numbers that later versions of the original might have taken: how many messages the
// Ksock missed just before the one taken last, and in all, as the three words {before, total, total divided by 2^32}.
const IoctlMissed = 0x800C6B40

const (
	ioctlMagic     = 'k'
	ioctlHighest   = 18
	ioctlDirection = 0xC0000000 // some argument is read or written
)

// Memory is the memory of the program that called. ReadAt fills p from the address: OK, or ErrBadAddress when not all
// of it can be read. It is called before an operation has any effect, and must return at once.
type Memory interface {
	ReadAt(addr uint64, p []byte) message.Condition
}

// Host is the owner of the buses. NewBus makes the next one for a Ksock and returns its number (R3.81), or
// ErrTooManyBuses, ErrNotAdministrator, ErrUserBuses.
type Host interface {
	NewBus(by bus.Owner) (number uint32, c message.Condition)
}

// Ioctl performs the operation of a raw ioctl number. ret is the call's result when c is OK. out holds the bytes (none,
// 4, 8 or 12) that the caller must store at arg; it may be non-empty with ErrPending too (R3.67), and is valid until the
// next Ioctl. When storing fails the program gets EFAULT, although the operation has been done.
//
// The number is judged in the order of R3.4: magic, number, address, then the exact command.
func (f *File) Ioctl(code uint32, arg uint64, mem Memory, host Host) (ret int32, out []byte, c message.Condition) {
	if code>>8&0xFF != ioctlMagic || code&0xFF > ioctlHighest && code != IoctlMissed {
		return 0, nil, message.ErrUnknownOperation
	}
	if code&ioctlDirection != 0 && !userSpace(arg, uint64(code>>16&0x3FFF)) {
		return 0, nil, message.ErrBadAddress
	}
	call := ioctl{f, arg, mem, host}
	switch code {
	case IoctlReset:
		return 0, nil, message.OK // R3.13
	case IoctlBind:
		return call.bind(f.Bus.Bind)
	case IoctlUnbind:
		return call.bind(f.Bus.Unbind)
	case IoctlKsockID:
		return call.number(uint32(f.Ksock.ID()))
	case IoctlReplier:
		return call.replier()
	case IoctlNextMsg:
		return call.next()
	case IoctlLenLeft:
		return call.number(f.LenLeft())
	case IoctlSend:
		return call.send()
	case IoctlDiscard:
		f.Discard()
		return 0, nil, message.OK
	case IoctlLastSent:
		id := f.Bus.LastSent(f.Ksock)
		return 0, call.put(id.Network, id.Serial), message.OK
	case IoctlMaxMsgs:
		return call.set(func(n uint32) (uint32, message.Condition) {
			return f.Bus.SetMaxMessages(f.Ksock, n), message.OK
		})
	case IoctlNumMsgs:
		return call.number(f.Bus.NumMessages(f.Ksock))
	case IoctlUnrepliedTo:
		return call.number(f.Bus.NumUnreplied(f.Ksock))
	case IoctlMsgOnlyOnce:
		return call.set(func(v uint32) (uint32, message.Condition) { return f.Bus.OnlyOnce(f.Ksock, v) })
	case IoctlVerbose:
		return call.set(func(v uint32) (uint32, message.Condition) { return f.Bus.Verbose(f.Ksock, v) })
	case IoctlNewDevice:
		return call.newDevice()
	case IoctlReportReplierBinds:
		return call.set(func(v uint32) (uint32, message.Condition) { return f.Bus.ReportReplierBinds(f.Ksock, v) })
	case IoctlMaxMsgSize:
		return call.set(func(n uint32) (uint32, message.Condition) { return f.Bus.SetMaxMessageBytes(f.Ksock, n) })
	case IoctlMissed:
		before, total := f.Bus.Missed(f.Ksock)
		return 0, call.put(before, uint32(total), uint32(total>>32)), message.OK
	}
	return 0, nil, message.ErrUnknownOperation
}

// userSpace reports whether size bytes at addr can belong to a program. On 64-bit Linux the upper half of the address
// space is the kernel's. Whether the bytes are really there is for Memory to say.
func userSpace(addr, size uint64) bool {
	return addr < 1<<63 && addr+size <= 1<<63
}
