package device

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/fuse"
	"kbus.example/kbus/message"
)

// stand is a device without a kernel: its connection is a socket, and its owner lets everybody have what the tests say.
type stand struct {
	*Device
	kernel  int
	limit   int64 // bytes for all; 0: none
	charged int64
	inside  int
	refused message.Condition
}

func newStand(t testing.TB) *stand {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{kernel: pair[1]}
	s.Device = &Device{bus: bus.New(bus.Config{}), owner: s, conn: fuse.NewConn(pair[0]),
		nodes: newNodes(Config{Mode: 0o666, Group: -1}, 0)}
	t.Cleanup(func() { s.conn.Close(); unix.Close(pair[1]) })
	return s
}

func (s *stand) NewBus(bus.Owner) (uint32, message.Condition) { return 7, message.OK }
func (s *stand) AppendBindingsReport(b []byte) []byte         { return append(b, "bindings"...) }
func (s *stand) AppendStatsReport(b []byte) []byte            { return append(b, "stats"...) }
func (s *stand) Admit(uint32, uint32, uint32) (Visitor, message.Condition) {
	s.inside++
	return s, message.OK
}

// Pump has nobody else to tell.
func (s *stand) Pump() {}

func (s *stand) Owner() bus.Owner { return bus.Owner{UID: 1000} }

func (s *stand) Buffer(more int64) bool {
	if s.limit != 0 && more > 0 && s.charged+more > s.limit {
		return false
	}
	s.charged += more
	return true
}

func (s *stand) Refused(c message.Condition) { s.refused = c }

func (s *stand) Leave() { s.inside-- }

func (s *stand) State() VisitorState { return VisitorState{Owner: s.Owner()} }

func (s *stand) Readmit(*VisitorState) Visitor {
	s.inside++
	return s
}

func (s *stand) mustOpen(t testing.TB, node uint64) uint64 {
	t.Helper()
	handle, _, e := s.Open(fuse.Caller{}, node, unix.O_RDWR)
	if e != 0 {
		t.Fatal(e)
	}
	return handle
}

func (s *stand) ksock(handle uint64) *Ksock { return s.open[handle].(*Ksock) }

// woken counts what the kernel was told.
func (s *stand) wakes() (n int) {
	s.Wake()
	var b [100]byte
	for {
		if _, err := unix.Read(s.kernel, b[:]); err != nil {
			return n
		}
		n++
	}
}

func send(t testing.TB, s *stand, handle uint64, h message.Header, name, data string) unix.Errno {
	t.Helper()
	if _, e := s.Write(handle, message.AppendEntire(nil, &h, []byte(name), []byte(data))); e != 0 {
		return e
	}
	result, _ := s.Ioctl(handle, &fuse.Ioctl{Command: file.IoctlSend})
	return unix.Errno(-min(result, 0))
}

// tell pays what the bus owes its owner.
func (s *stand) tell() {
	for _, k := range append(append([]*bus.Ksock{}, s.bus.Due()...), s.bus.Woken()...) {
		k.Tag.(*Ksock).Wake()
	}
}

func TestHandles(t *testing.T) {
	s := newStand(t)
	a, b := s.mustOpen(t, deviceNode), s.mustOpen(t, noNode)
	s.Release(a)
	s.Release(a) // a second time does nothing
	if again := s.mustOpen(t, deviceNode); again != a || again == b || s.inside != 2 {
		t.Errorf("handles %d, %d, %d; %d inside", a, b, again, s.inside)
	}
	for _, wrong := range []uint64{2, 1 << 40, 1<<64 - 1} {
		_, e1 := s.Read(wrong, 0, nil)
		_, e2 := s.Write(wrong, nil)
		_, e3 := s.Poll(wrong, 0, true)
		result, _ := s.Ioctl(wrong, &fuse.Ioctl{})
		if e1 != unix.EBADF || e2 != unix.EBADF || e3 != unix.EBADF || result != -int32(unix.EBADF) {
			t.Errorf("handle %d: %v %v %v %d", wrong, e1, e2, e3, result)
		}
		s.Release(wrong)
	}
	s.End()
	if s.inside != 0 || s.charged != 0 || s.bus.Info().Ksocks != 0 {
		t.Errorf("%d inside, %d bytes, %d Ksocks", s.inside, s.charged, s.bus.Info().Ksocks)
	}
	if _, _, e := s.Open(fuse.Caller{}, deviceNode, 0); e != unix.ESHUTDOWN {
		t.Errorf("after the end: %v", e)
	}
}

// A 32-bit program has no numbers here (R3.5), not even those that look the same.
func TestCompat(t *testing.T) {
	s := newStand(t)
	k := s.mustOpen(t, deviceNode)
	if result, _ := s.Ioctl(k, &fuse.Ioctl{Command: file.IoctlReset, Compat: true}); result != -int32(unix.ENOTTY) {
		t.Error(result)
	}
}

// Whoever polls is told once for all that comes until it polls again, and nobody else is told.
func TestWakeOnce(t *testing.T) {
	s := newStand(t)
	k, sender := s.mustOpen(t, deviceNode), s.mustOpen(t, deviceNode)
	s.bus.Bind(s.ksock(k).file.Ksock, "$.A", false)
	say := func() {
		if e := send(t, s, sender, message.Header{}, "$.A", ""); e != 0 {
			t.Fatal(e)
		}
		s.tell()
	}
	say()
	if n := s.wakes(); n != 0 {
		t.Errorf("nobody polls, and %d were woken", n)
	}
	if ready, e := s.Poll(k, 5, true); ready != readable|writable || e != 0 {
		t.Errorf("ready %#x, %v", ready, e)
	}
	say()
	say()
	if n := s.wakes(); n != 1 {
		t.Errorf("woken %d times", n)
	}
	say()
	if n := s.wakes(); n != 0 {
		t.Errorf("woken %d times without having polled", n)
	}
	s.Poll(k, 5, true)
	s.ksock(k).End()
	if n := s.wakes(); n != 1 {
		t.Errorf("the end wakes %d times", n)
	}
	if ready, _ := s.Poll(k, 5, true); ready != gone {
		t.Errorf("ready %#x", ready)
	}
	s.Release(k)
	if n := s.wakes(); n != 0 {
		t.Errorf("woken %d times after the release", n)
	}
}

// What is held is charged before it is held, and given back.
func TestCharged(t *testing.T) {
	s := newStand(t)
	k := s.mustOpen(t, deviceNode)
	s.bus.Bind(s.ksock(k).file.Ksock, "$.A", false)
	s.limit = 100
	if _, e := s.Write(k, make([]byte, 101)); e != unix.ENOMEM || s.charged != 0 {
		t.Errorf("%v, %d charged", e, s.charged)
	}
	if e := send(t, s, k, message.Header{}, "$.A", ""); e != 0 || s.charged != 0 {
		t.Errorf("%v, %d charged", e, s.charged)
	}
	s.limit = 90
	next := &fuse.Ioctl{Command: file.IoctlNextMsg}
	if result, _ := s.Ioctl(k, next); result != -int32(unix.ENOMEM) || s.charged != 0 {
		t.Errorf("%d, %d charged", result, s.charged)
	}
	s.limit = 96 // the message's length
	if result, out := s.Ioctl(k, next); result != 1 || binary.NativeEndian.Uint32(out) != 96 || s.charged != 96 {
		t.Errorf("%d, %x, %d charged", result, out, s.charged)
	}
	if n, e := s.Read(k, 0, make([]byte, 100)); n != 96 || e != 0 || s.charged != 0 {
		t.Errorf("%d, %v, %d charged", n, e, s.charged)
	}
	r := s.mustOpen(t, statsNode)
	s.limit = 4
	if _, e := s.Read(r, 0, make([]byte, 100)); e != unix.ENOMEM || s.charged != 0 {
		t.Errorf("%v, %d charged", e, s.charged)
	}
	s.limit = 5
	if n, e := s.Read(r, 0, make([]byte, 100)); n != 5 || e != 0 || s.charged != 5 {
		t.Errorf("%d, %v, %d charged", n, e, s.charged)
	}
	if n, e := s.Read(r, 5, make([]byte, 100)); n != 0 || e != 0 {
		t.Errorf("%d, %v", n, e)
	}
	s.Release(r)
	if s.charged != 0 {
		t.Errorf("%d charged", s.charged)
	}
}

// The way of a message through the device allocates nothing that internal/file does not: nothing.
func TestNothingIsAllocated(t *testing.T) {
	s := newStand(t)
	k := s.mustOpen(t, deviceNode)
	s.bus.Bind(s.ksock(k).file.Ksock, "$.A", false)
	m := message.AppendEntire(nil, &message.Header{}, []byte("$.A"), []byte("data"))
	sendIt, next := &fuse.Ioctl{Command: file.IoctlSend}, &fuse.Ioctl{Command: file.IoctlNextMsg}
	var b [200]byte
	if n := testing.AllocsPerRun(100, func() {
		s.Poll(k, 1, true)
		s.Write(k, m)
		s.Ioctl(k, sendIt)
		s.ksock(k).Wake()
		s.Wake()
		s.Ioctl(k, next)
		if n, e := s.Read(k, 0, b[:]); n == 0 || e != 0 {
			t.Fatal(n, e)
		}
		unix.Read(s.kernel, b[:])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
