package device

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// guarded is a page of memory behind which there is nothing.
func guarded(t testing.TB) []byte {
	t.Helper()
	size := unix.Getpagesize()
	two, err := unix.Mmap(-1, 0, 2*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	must(t, err)
	t.Cleanup(func() { unix.Munmap(two) })
	must(t, unix.Mprotect(two[size:], unix.PROT_NONE))
	return two[:size]
}

func address(p []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) }

// pointy lays out a header whose name and data are elsewhere.
func pointy(name uint64, nameLen int, data uint64, dataLen int) []byte {
	b := make([]byte, message.HeaderBytes)
	copy(b, message.AppendEntire(nil, &message.Header{}, nil, nil)[:message.HeaderBytes])
	binary.NativeEndian.PutUint32(b[52:], uint32(nameLen))
	binary.NativeEndian.PutUint32(b[56:], uint32(dataLen))
	binary.NativeEndian.PutUint64(b[64:], name)
	binary.NativeEndian.PutUint64(b[72:], data)
	return b
}

// Whatever a pointer leads to, the caller gets EFAULT when it is not there, and nobody else notices.
func TestBadPointers(t *testing.T) {
	d := start(t)
	k, other := d.rw(), d.rw()
	ok(t, other.Bind("$.*", 0))
	page := guarded(t)
	end := address(page) + uint64(len(page))
	name := "$.Pointy"
	copy(page[len(page)-len(name)-1:], name+"\x00")
	var pin runtime.Pinner
	defer pin.Unpin()
	data := []byte("data")
	pin.Pin(&data[0])
	n := len(name)
	for what, c := range map[string]struct {
		message []byte
		errno   unix.Errno
	}{
		"all is there":        {pointy(end-uint64(n)-1, n, address(data), 4), 0},
		"no name":             {pointy(8, n, address(data), 4), unix.EFAULT},
		"no terminator":       {pointy(end-uint64(n), n, address(data), 4), unix.EFAULT},
		"half a name":         {pointy(end-4, n, address(data), 4), unix.EFAULT},
		"no data":             {pointy(end-uint64(n)-1, n, end, 4), unix.EFAULT},
		"data of the kernel":  {pointy(end-uint64(n)-1, n, 0xffffffff81000000, 4), unix.EFAULT},
		"data beyond the end": {pointy(end-uint64(n)-1, n, ^uint64(2), 4), unix.EFAULT},
	} {
		_, errno := k.Write(c.message)
		ok(t, errno)
		if _, errno = k.ID(file.IoctlSend); errno != c.errno {
			t.Errorf("%s: %v", what, errno)
		}
		m, some, _ := other.Receive()
		if some != (c.errno == 0) || some && (m.Name != name || string(m.Data) != "data") {
			t.Errorf("%s: received %v, %v", what, some, m.String())
		}
		_, errno = k.ID(file.IoctlSend)
		want(t, errno, unix.ENOMSG)
	}
	nowhere := unsafe.Pointer(&page[len(page)-1])
	for _, code := range []uint32{file.IoctlBind, file.IoctlUnbind, file.IoctlReplier, file.IoctlMaxMsgs, file.IoctlNextMsg} {
		if _, errno := k.Ioctl(code, nowhere); errno != unix.EFAULT {
			t.Errorf("ioctl %#x: %v", code, errno)
		}
	}
	request := func(at uint64, n int) []byte {
		b := binary.NativeEndian.AppendUint32(nil, 1)
		b = binary.NativeEndian.AppendUint32(b, uint32(n))
		return binary.NativeEndian.AppendUint64(b, at)
	}
	copy(page, request(end-4, 8))
	_, errno := k.Ioctl(file.IoctlBind, unsafe.Pointer(&page[0]))
	want(t, errno, unix.EFAULT)
	copy(page, request(end-1, 0))
	_, errno = k.Ioctl(file.IoctlBind, unsafe.Pointer(&page[0]))
	want(t, errno, unix.EBADMSG) // before the name is looked at (R3.21)
	behind := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&page[0]), len(page))), 100)
	if _, errno := k.Write(behind); errno != unix.EFAULT {
		t.Errorf("write: %v", errno)
	}
	_, errno = k.ID(file.IoctlSend)
	want(t, errno, unix.ENOMSG)
	if _, errno := other.Send(message.Header{}, "$.Still", "here"); errno != 0 {
		t.Error(errno)
	}
}

// A message is sent although its id cannot be stored (R3.67).
func TestSentWithoutID(t *testing.T) {
	d := start(t)
	k := d.rw()
	ok(t, k.Bind("$.Sent", 0))
	_, errno := k.Write(message.AppendEntire(nil, &message.Header{}, []byte("$.Sent"), nil))
	ok(t, errno)
	page := guarded(t)
	must(t, unix.Mprotect(page, unix.PROT_READ))
	_, errno = k.Ioctl(file.IoctlSend, unsafe.Pointer(&page[0]))
	want(t, errno, unix.EFAULT)
	if _, some, _ := k.Receive(); !some {
		t.Error("it was not sent")
	}
}

// The longest message, pointy and entire, in one piece and byte by byte, is what is read, in any pieces.
func TestLongMessages(t *testing.T) {
	d := start(t)
	k, listener := d.rw(), d.rw()
	ok(t, listener.Bind("$.Long", 0))
	most, _, errno := k.Word(file.IoctlMaxMsgSize, 0)
	ok(t, errno)
	name := []byte("$.Long\x00")
	data := []byte(strings.Repeat("long", (int(most)-message.HeaderBytes-8-4)/4))
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&name[0])
	pin.Pin(&data[0])
	entire := message.AppendEntire(nil, &message.Header{}, name[:6], data)
	if len(entire) != int(most) {
		t.Fatalf("%d bytes", len(entire))
	}
	for what, pieces := range map[string][][]byte{
		"pointy": {pointy(address(name), 6, address(data), len(data))},
		"entire": {entire},
		"pieces": {entire[:1], entire[1:50], entire[50:88], entire[88:100000], entire[100000:]},
	} {
		for _, p := range pieces {
			n, errno := k.Write(p)
			if ok(t, errno); n != len(p) {
				t.Fatalf("%s: wrote %d of %d", what, n, len(p))
			}
		}
		_, errno := k.ID(file.IoctlSend)
		ok(t, errno)
		_, n, errno := listener.Next()
		ok(t, errno)
		got := make([]byte, 0, n)
		for size := 1; len(got) < int(n); size *= 3 {
			r, errno := listener.Read(got[len(got):min(len(got)+size, int(n))])
			ok(t, errno)
			got = got[:len(got)+r]
		}
		if _, _, gotData, c := message.ParseEntire(got, most); c != message.OK || string(gotData) != string(data) {
			t.Errorf("%s: another message is read: %v", what, c)
		}
	}
	// The kernel cuts long writes into several (with CUSE at 128 KiB), and tells of an error in a later one as a write that
	// was not taken whole. The message is lost either way.
	n, errno := k.Write(append(entire, 0))
	if n == len(entire)+1 || kind() == "fuse" && errno != unix.EMSGSIZE {
		t.Errorf("a byte too many: %d bytes, %v", n, errno)
	}
	_, errno = k.ID(file.IoctlSend)
	want(t, errno, unix.ENOMSG)
}
