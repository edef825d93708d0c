package device

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/fuse"
	"kbus.example/kbus/message"
)

// An ioctl is answered with exactly the bytes that a driver would store, although the numbers promise more (R3.2): file
// knows how many. A 32-bit program on a 64-bit kernel has other structures, and no numbers here (R3.5).

func (k *Ksock) ioctl(call *fuse.Ioctl) (result int32, out []byte) {
	switch {
	case k.ended:
		return -int32(unix.ENOTCONN), nil
	case call.Compat:
		return -int32(unix.ENOTTY), nil
	case call.Command == file.IoctlNextMsg && !k.reserve(k.nextBytes()):
		return -int32(unix.ENOMEM), nil
	}
	d := k.device
	sending := k.file.Ksock.Sending()
	d.memory.call = call
	result, out, c := k.file.Ioctl(call.Command, call.Arg, &d.memory, d.owner)
	d.memory.call = nil
	k.chargeHeld()
	if sending && !k.file.Ksock.Sending() { // another thread may poll for that
		k.Wake()
	}
	if c != message.OK {
		k.visitor.Refused(c)
		result = -int32(c.Errno())
	}
	return result, out
}

// nextBytes is how much NEXTMSG may come to hold. A set-aside event, which is not in the queue yet, has no more than
// mostEventBytes.
func (k *Ksock) nextBytes() int {
	b := k.device.bus
	var head message.Header
	switch name, data, _, _, ok := b.Queued(k.file.Ksock, 0, &head); {
	case ok:
		return int(message.EntireLen(uint32(len(name)), uint32(len(data))))
	case k.file.Ksock.Readable():
		return mostEventBytes
	}
	return 0
}

const mostEventBytes = 1132 // R3.87

// memory is the caller's memory as file.Memory. What lies at the argument itself has come with the call.
type memory struct {
	call *fuse.Ioctl
	rest fuse.Memory
}

func (m *memory) ReadAt(addr uint64, p []byte) message.Condition {
	if at := addr - m.call.Arg; addr >= m.call.Arg && at+uint64(len(p)) <= uint64(len(m.call.In)) {
		copy(p, m.call.In[at:])
		return message.OK
	}
	if !m.rest.Read(m.call.TID, addr, p) {
		return message.ErrBadAddress
	}
	return message.OK
}
