package conformance

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus/internal/file"
	"kbus/internal/file/trace"
	"kbus/message"
)

// device is a daemon reached as a program of the original does it: bare system calls on a mounted device, with pointers
// into the memory of this process. Here the recordings are performed as they are, and every outcome is as recorded: a
// message that waits for room is tried again when the program polls, and not before (Q5).
type device struct {
	t       *testing.T
	daemon  *deviceDaemon
	dir     string
	devices int
	open    map[*descriptor]bool
	placed  [][]byte // what messages point at, kept where it is
}

func deviceFUSE(t *testing.T, c trace.Config) trace.System {
	d, err := startDeviceDaemon()
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, daemon: d, dir: d.startServer(t, c), devices: c.Devices, open: map[*descriptor]bool{}}
}

func (d *device) path(bus int, file string) string {
	return filepath.Join(d.dir, fmt.Sprintf("bus%d", bus), file)
}

func (d *device) Open(bus int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	flags := map[string]int{"r": unix.O_RDONLY, "w": unix.O_WRONLY, "rw": unix.O_RDWR}[mode]
	fd, err := unix.Open(d.path(bus, fmt.Sprintf("kbus%d", bus)), flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err.(unix.Errno)
	}
	k := &descriptor{device: d, fd: fd}
	d.open[k] = true
	id, errno := k.Value("ksockid", 0)
	return k, id, errno
}

func (d *device) Bindings() string { return d.report("bindings") }

func (d *device) Stats() string { return d.report("stats") }

func (d *device) report(name string) (all string) {
	for bus := range d.devices {
		text, err := os.ReadFile(d.path(bus, name))
		if err != nil {
			d.t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

func (d *device) End() {
	for k := range d.open {
		k.Close()
	}
	d.daemon.ask(d.t, "end")
}

// descriptor is one open descriptor.
type descriptor struct {
	device *device
	fd     int
}

func (k *descriptor) Close() {
	delete(k.device.open, k)
	if err := unix.Close(k.fd); err != nil {
		k.device.t.Fatal(err)
	}
}

// Place is trace.Placer.
func (k *descriptor) Place(b []byte) (addr uint64) {
	b = append([]byte(nil), b...)
	k.device.placed = append(k.device.placed, b)
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// argument is room for the argument of any ioctl, also of those that do not exist.
type argument [1 << 14]byte

func (k *descriptor) ioctl(code uint32, arg *argument) (int, syscall.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(k.fd), uintptr(code), uintptr(unsafe.Pointer(arg)))
	if errno != 0 {
		n = 0
	}
	return int(n), errno
}

// word checks that no more than the 4 bytes of a number are written.
func (k *descriptor) word(code, in uint32) (out uint32, ret int, errno syscall.Errno) {
	var arg argument
	binary.NativeEndian.PutUint32(arg[:], in)
	binary.NativeEndian.PutUint32(arg[4:], 0xDEADBEEF)
	ret, errno = k.ioctl(code, &arg)
	if binary.NativeEndian.Uint32(arg[4:]) != 0xDEADBEEF {
		k.device.t.Errorf("ioctl %#x writes more than a number", code)
	}
	return binary.NativeEndian.Uint32(arg[:]), ret, errno
}

func (k *descriptor) id(code uint32) (message.ID, syscall.Errno) {
	var arg argument
	_, errno := k.ioctl(code, &arg)
	u := binary.NativeEndian.Uint32
	return message.ID{Network: u(arg[:]), Serial: u(arg[4:])}, errno
}

// request performs an ioctl on a bind request or bind query (R3.3) and gives the first word.
func (k *descriptor) request(code, first uint32, name []byte) (ret int, word uint32, errno syscall.Errno) {
	var arg argument
	binary.NativeEndian.PutUint32(arg[:], first)
	binary.NativeEndian.PutUint32(arg[4:], uint32(len(name)))
	binary.NativeEndian.PutUint64(arg[8:], k.Place(append(name[:len(name):len(name)], 0)))
	ret, errno = k.ioctl(code, &arg)
	return ret, binary.NativeEndian.Uint32(arg[:]), errno
}

func (k *descriptor) Bind(name []byte, replier uint32) syscall.Errno {
	_, _, errno := k.request(file.IoctlBind, replier, name)
	return errno
}

func (k *descriptor) Unbind(name []byte, replier uint32) syscall.Errno {
	_, _, errno := k.request(file.IoctlUnbind, replier, name)
	return errno
}

func (k *descriptor) Replier(name []byte) (int, uint32, syscall.Errno) {
	return k.request(file.IoctlReplier, 99, name)
}

func (k *descriptor) Write(p []byte) (int, syscall.Errno) { return transfer(unix.SYS_WRITE, k.fd, p) }

func (k *descriptor) Read(p []byte) (int, syscall.Errno) { return transfer(unix.SYS_READ, k.fd, p) }

func transfer(call uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := unix.Syscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func (k *descriptor) Send() (message.ID, syscall.Errno) { return k.id(file.IoctlSend) }

func (k *descriptor) LastSent() (message.ID, syscall.Errno) { return k.id(file.IoctlLastSent) }

func (k *descriptor) Next() (int, uint32, syscall.Errno) {
	length, ret, errno := k.word(file.IoctlNextMsg, 99)
	return ret, length, errno
}

func (k *descriptor) Poll() (readable, writable bool) {
	fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN | unix.POLLOUT | unix.POLLPRI}}
	if _, err := unix.Poll(fds, 0); err != nil {
		k.device.t.Fatal(err)
	}
	if fds[0].Revents&^(unix.POLLIN|unix.POLLOUT) != 0 {
		k.device.t.Errorf("poll gives %#x", fds[0].Revents) // R3.96
	}
	return fds[0].Revents&unix.POLLIN != 0, fds[0].Revents&unix.POLLOUT != 0
}

func (k *descriptor) Value(op string, in uint32) (uint32, syscall.Errno) {
	code := map[string]uint32{
		"ksockid": file.IoctlKsockID, "lenleft": file.IoctlLenLeft, "nummsgs": file.IoctlNumMsgs,
		"unrepliedto": file.IoctlUnrepliedTo, "newdevice": file.IoctlNewDevice, "maxmsgs": file.IoctlMaxMsgs,
		"msgonlyonce": file.IoctlMsgOnlyOnce, "verbose": file.IoctlVerbose,
		"reportreplierbinds": file.IoctlReportReplierBinds, "maxmsgsize": file.IoctlMaxMsgSize,
	}[op]
	out, _, errno := k.word(code, in)
	if op == "newdevice" && errno == 0 {
		k.device.devices++
	}
	return out, errno
}

func (k *descriptor) Plain(op string) syscall.Errno {
	_, errno := k.ioctl(map[string]uint32{"reset": file.IoctlReset, "discard": file.IoctlDiscard}[op], nil)
	return errno
}

func (k *descriptor) Unknown(code uint32) syscall.Errno {
	_, errno := k.ioctl(code, new(argument))
	return errno
}
