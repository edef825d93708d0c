// Package device is /dev/kbusN: a bus as a file that programs open, read, write, poll and call ioctl on. What a
// descriptor means is internal/file; how the kernel asks for it is internal/fuse; this package is what lies between.
//
// A Device is one bus, on a connection of its own, and belongs to the owner of that bus: its event loop serves the
// kernel's requests as it serves its sockets, so device and sockets share one bus in one order.
//
// A Ksock of a device belongs to no session. Code that answers waiting clients knows it by its Tag, which is a *Ksock,
// and calls Wake when something has come for it, or when a message of it that waits for room should be tried again. The
// device does not try by itself: as in the original, a poll does that (Q5).
//
// The files: config.go is where the device stands and for whom, node.go puts it where programs look for it, directory.go is the
// little directory that it stands in and stat.go what stat(2) tells of that, ksock.go is an open descriptor, ioctl.go its
// calls, poll.go wakes programs that poll, report.go has the two texts, state.go hands all of it over to another process.
package device

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/fuse"
	"kbus.example/kbus/message"
)

// Owner owns the bus, and what users may have of it.
type Owner interface {
	file.Host

	// Admit lets a thread of a program have a descriptor, or says which limit stands against it. The limits of the bus
	// come on top of that.
	Admit(tid, uid, gid uint32) (Visitor, message.Condition)
	// Readmit makes the Visitor of one that has been admitted by another process, which has handed it over.
	Readmit(s *VisitorState) Visitor

	// The two reports of this bus.
	AppendBindingsReport(b []byte) []byte
	AppendStatsReport(b []byte) []byte

	// Pump shows others what they got. It comes before every answer that may have brought them something: once SEND has
	// returned, a recipient can take its copy (R3.70), from a window too.
	Pump()
}

// Visitor is the process that has a descriptor open. Leave is called once, when the descriptor is closed.
type Visitor interface {
	Owner() bus.Owner
	// Buffer changes what is charged for memory by so many bytes, or reports that a limit stands against it; giving
	// back never fails.
	Buffer(more int64) bool
	// Refused notes that something was refused.
	Refused(c message.Condition)
	Leave()
	// State is what Readmit makes it of again.
	State() VisitorState
}

// Device is one bus as a device. Everything about it is done by the owner of its bus.
type Device struct {
	bus   *bus.Bus
	owner Owner
	conn  *fuse.Conn
	node  node
	nodes nodes

	open   []opened // by handle
	unused []uint64 // handles of those that are nil
	woken  []*Ksock // Ksocks whose pollers are to ask again
	memory memory
	closed bool // no process may open it any more
}

// opened is what a handle stands for.
type opened interface {
	read(offset uint64, p []byte) (int, unix.Errno)
	write(p []byte) (int, unix.Errno)
	ioctl(call *fuse.Ioctl) (result int32, out []byte)
	poll(pollHandle uint64, notify bool) (ready uint32)
	release()
}

// Attach makes the device of a bus, and returns when programs can open it.
func Attach(c Config, number uint32, b *bus.Bus, o Owner) (*Device, error) {
	d := &Device{bus: b, owner: o, nodes: newNodes(c, number)}
	var err error
	d.conn, d.node, err = c.attach(number)
	return d, err
}

// FD is what to wait on until there is something to serve.
func (d *Device) FD() int { return d.conn.FD() }

// Serve serves one request, if there is one; Wake should follow. io.EOF says that the device has been taken
// away, and like any other error that End must follow.
func (d *Device) Serve() (served bool, err error) { return d.conn.Serve(d) }

// Close lets no process open the device any more. Descriptors that are open go on.
func (d *Device) Close() {
	if !d.closed {
		d.closed = true
		d.node.hide()
	}
}

// End closes what is still open, and takes the device away.
func (d *Device) End() {
	d.Close()
	for handle := range d.open {
		d.Release(uint64(handle))
	}
	d.conn.Close()
}

func (d *Device) keep(o opened) (handle uint64) {
	if n := len(d.unused); n > 0 {
		handle = d.unused[n-1]
		d.unused = d.unused[:n-1]
		d.open[handle] = o
		return handle
	}
	d.open = append(d.open, o)
	return uint64(len(d.open) - 1)
}

// at is what a handle stands for; nil when it is none.
func (d *Device) at(handle uint64) opened {
	if handle >= uint64(len(d.open)) {
		return nil
	}
	return d.open[handle]
}

// Read, Write, Ioctl, Poll and Release are part of fuse.Files.

func (d *Device) Read(handle, offset uint64, p []byte) (int, unix.Errno) {
	if o := d.at(handle); o != nil {
		return o.read(offset, p)
	}
	return 0, unix.EBADF
}

func (d *Device) Write(handle uint64, p []byte) (int, unix.Errno) {
	if o := d.at(handle); o != nil {
		return o.write(p)
	}
	return 0, unix.EBADF
}

func (d *Device) Ioctl(handle uint64, call *fuse.Ioctl) (result int32, out []byte) {
	if o := d.at(handle); o != nil {
		defer d.owner.Pump()
		return o.ioctl(call)
	}
	return -int32(unix.EBADF), nil
}

func (d *Device) Poll(handle, pollHandle uint64, notify bool) (ready uint32, e unix.Errno) {
	if o := d.at(handle); o != nil {
		defer d.owner.Pump()
		return o.poll(pollHandle, notify), 0
	}
	return 0, unix.EBADF
}

func (d *Device) Release(handle uint64) {
	if o := d.at(handle); o != nil {
		defer d.owner.Pump()
		o.release()
		d.open[handle] = nil
		d.unused = append(d.unused, handle)
	}
}
