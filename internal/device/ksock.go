package device

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// Ksock is an open descriptor of the device, shared by all its copies. It is the Tag of its Ksock on the bus.
type Ksock struct {
	device  *Device
	visitor Visitor
	file    *file.File
	charged int64 // bytes

	pollHandle uint64
	armed      bool // a program polls, and has not been woken since
	waking     bool // in device.woken
	ended      bool // closed on the bus, though the program still has it open
}

// openKsock is open(2) of the device: each is a Ksock of its own (R1.6).
func (d *Device) openKsock(visitor Visitor, flags uint32) (opened, message.Condition) {
	k, c := d.bus.Open(visitor.Owner())
	if c != message.OK {
		return nil, c
	}
	s := &Ksock{device: d, visitor: visitor, file: file.New(d.bus, k, modeOf(flags))}
	k.Tag = s
	return s, message.OK
}

func modeOf(flags uint32) file.Mode {
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		return file.Read
	case unix.O_WRONLY:
		return file.Write
	case unix.O_RDWR:
		return file.ReadWrite
	}
	return 0 // Linux knows a fourth: for ioctl only
}

// File is the byte-wise view of the Ksock.
func (k *Ksock) File() *file.File { return k.file }

// End closes the Ksock although the program has it open: what it still does gives ENOTCONN, as when the daemon dies.
func (k *Ksock) End() {
	if !k.ended {
		k.ended = true
		k.file.Close()
		k.file.Ksock.Tag = nil
		k.visitor.Buffer(-k.charged)
		k.charged = 0
		k.Wake()
	}
}

func (k *Ksock) release() {
	k.End()
	k.armed = false
	k.visitor.Leave()
}

// reserve charges for n bytes that are about to be held besides those that are. A program that may not have them gets
// ENOMEM.
func (k *Ksock) reserve(n int) bool {
	return k.charge(k.file.HeldBytes() + int64(n))
}

// chargeHeld charges for what is held now, which is no more than was reserved.
func (k *Ksock) chargeHeld() { k.charge(k.file.HeldBytes()) }

func (k *Ksock) charge(bytes int64) bool {
	if bytes != k.charged {
		if !k.visitor.Buffer(bytes - k.charged) {
			return false
		}
		k.charged = bytes
	}
	return true
}

func (k *Ksock) read(_ uint64, p []byte) (int, unix.Errno) {
	if k.ended {
		return 0, unix.ENOTCONN
	}
	n, c := k.file.Read(p)
	k.chargeHeld()
	return n, c.Errno()
}

func (k *Ksock) write(p []byte) (int, unix.Errno) {
	switch {
	case k.ended:
		return 0, unix.ENOTCONN
	case !k.file.Ksock.Sending() && !k.reserve(len(p)):
		return 0, unix.ENOMEM
	}
	n, c := k.file.Write(p)
	k.chargeHeld()
	return n, c.Errno()
}
