package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/descriptor"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// device is a daemon reached as a program of the original does it: bare system calls on a mounted device, with pointers
// into the memory of this process. Here the recordings are performed as they are, and every outcome is as recorded: a
// message that waits for room is tried again when the program polls, and not before (Q5).
type device struct {
	t      *testing.T
	daemon *daemon
	root   string
	opened map[*opened]bool
	placed [][]byte // what messages point at, kept where it is
}

func attachDevice(t *testing.T, d *daemon, s *driverSlot) trace.System {
	return &device{t: t, daemon: d, root: s.devices.root(), opened: map[*opened]bool{}}
}

func (d *device) path(bus int, file string) string {
	return filepath.Join(d.root, d.daemon.dir, fmt.Sprintf("bus%d", bus), file)
}

func (d *device) Open(bus int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	flags := map[string]int{"r": unix.O_RDONLY, "w": unix.O_WRONLY, "rw": unix.O_RDWR}[mode]
	fd, errno := descriptor.Open(d.path(bus, fmt.Sprintf("kbus%d", bus)), flags)
	if errno != 0 {
		return nil, 0, errno
	}
	k := &opened{fd, d}
	d.opened[k] = true
	id, errno := k.Value("ksockid", 0)
	return k, id, errno
}

func (d *device) Bindings() string { return d.report("bindings") }

func (d *device) Stats() string { return d.report("stats") }

func (d *device) report(name string) (all string) {
	for bus := range d.daemon.devices() {
		text, err := os.ReadFile(d.path(bus, name))
		if err != nil {
			d.t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

func (d *device) End() {
	for k := range d.opened {
		k.Close()
	}
}

// opened is one open descriptor.
type opened struct {
	descriptor.Descriptor
	device *device
}

func (k *opened) Close() {
	delete(k.device.opened, k)
	if err := k.Descriptor.Close(); err != nil {
		k.device.t.Fatal(err)
	}
}

// Place is trace.Placer.
func (k *opened) Put(b []byte) (addr uint64) {
	b = append([]byte(nil), b...)
	k.device.placed = append(k.device.placed, b)
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// PutLast puts it before a page that cannot be read.
func (k *opened) PutLast(b []byte) (addr uint64) {
	page := os.Getpagesize()
	readable := (len(b) + page - 1) / page * page
	memory, err := unix.Mmap(-1, 0, readable+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		k.device.t.Fatal(err)
	}
	k.device.t.Cleanup(func() { unix.Munmap(memory) })
	if err := unix.Mprotect(memory[readable:], unix.PROT_NONE); err != nil {
		k.device.t.Fatal(err)
	}
	at := memory[readable-len(b):]
	copy(at, b)
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(at))))
}

func (k *opened) Bind(name []byte, replier uint32) syscall.Errno {
	_, _, errno := k.Named(file.IoctlBind, replier, name)
	return errno
}

func (k *opened) Unbind(name []byte, replier uint32) syscall.Errno {
	_, _, errno := k.Named(file.IoctlUnbind, replier, name)
	return errno
}

func (k *opened) Replier(name []byte) (int, uint32, syscall.Errno) {
	return k.Named(file.IoctlReplier, 99, name)
}

func (k *opened) Send() (message.ID, syscall.Errno) { return k.ID(file.IoctlSend) }

func (k *opened) LastSent() (message.ID, syscall.Errno) { return k.ID(file.IoctlLastSent) }

func (k *opened) Poll() (readable, writable bool) {
	ready, err := k.Descriptor.Poll(unix.POLLIN|unix.POLLOUT|unix.POLLPRI, 0)
	if err != nil || ready&^(unix.POLLIN|unix.POLLOUT) != 0 { // R3.96
		k.device.t.Errorf("poll gives %#x, %v", ready, err)
	}
	return ready&unix.POLLIN != 0, ready&unix.POLLOUT != 0
}

func (k *opened) Value(op string, in uint32) (uint32, syscall.Errno) {
	if op == "missed" {
		var words [3]uint32 // before the message taken last, and in all
		_, errno := k.Ioctl(file.IoctlMissed, unsafe.Pointer(&words))
		return words[1], errno
	}
	code := map[string]uint32{
		"ksockid": file.IoctlKsockID, "lenleft": file.IoctlLenLeft, "nummsgs": file.IoctlNumMsgs,
		"unrepliedto": file.IoctlUnrepliedTo, "newdevice": file.IoctlNewDevice, "maxmsgs": file.IoctlMaxMsgs,
		"msgonlyonce": file.IoctlMsgOnlyOnce, "verbose": file.IoctlVerbose,
		"reportreplierbinds": file.IoctlReportReplierBinds, "maxmsgsize": file.IoctlMaxMsgSize,
	}[op]
	out, _, errno := k.Word(code, in)
	return out, errno
}

func (k *opened) Plain(op string) syscall.Errno {
	_, errno := k.Ioctl(map[string]uint32{"reset": file.IoctlReset, "discard": file.IoctlDiscard}[op], nil)
	return errno
}

// Unknown gives as much room as any number can ask for.
func (k *opened) Unknown(code uint32) syscall.Errno {
	_, errno := k.Ioctl(code, unsafe.Pointer(new([1 << 14]byte)))
	return errno
}
