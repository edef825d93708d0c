package device

import (
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/fuse"
	"kbus.example/kbus/internal/testing/fields"
	"kbus.example/kbus/message"
)

// TestEveryFieldIsHandedOver: as in package bus, a new field must be handed over, or somebody have said that it need not be.
func TestEveryFieldIsHandedOver(t *testing.T) {
	fields.Check(t, Device{}, "bus conn node nodes open unused closed", "owner woken memory")
	fields.Check(t, Ksock{}, "visitor file charged pollHandle armed ended", "device waking")
	fields.Check(t, report{}, "visitor isStats text made", "device")
	fields.Check(t, node{}, "mount link", "")
	fields.Check(t, nodes{}, "device", "entries asked")
	fields.Check(t, fuse.Conn{}, "replies begun cuse", "buf call")
}

// handedOver is the stand again, with the device that is made of its state.
func (s *stand) handedOver(t *testing.T) *stand {
	t.Helper()
	indexes := map[*bus.Ksock]int{}
	for k := range s.bus.Ksocks() {
		indexes[k] = len(indexes)
	}
	state, err := bus.StateOf(s.bus)
	if err != nil {
		t.Fatal(err)
	}
	its := StateOf(s.Device, func(k *bus.Ksock) int { return indexes[k] })
	var got State
	c := form.Reader(1, form.Append(nil, 1, its.Code))
	if got.Code(c); c.Err() != nil {
		t.Fatal(c.Err())
	}
	b, ksocks, err := bus.FromState(state, bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	next := &stand{kernel: pair[1], limit: s.limit}
	if err := unix.SetNonblock(pair[1], true); err != nil {
		t.Fatal(err)
	}
	if next.Device, err = Resume(Config{Mode: 0o666, Group: -1}, 0, b, next, &got, pair[0], ksocks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { next.conn.Close(); unix.Close(pair[1]) })
	return next
}

// TestHandedOver: handles, what is charged, who polls and Ksocks that have ended are as they were; and nothing is said to the kernel.
func TestHandedOver(t *testing.T) {
	s := newStand(t)
	gone, k, ended, report := s.mustOpen(t, deviceNode), s.mustOpen(t, deviceNode), s.mustOpen(t, deviceNode), s.mustOpen(t, statsNode)
	s.Release(gone)
	s.bus.Bind(s.ksock(k).file.Ksock, "$.A", false)
	s.ksock(ended).End()
	s.Read(report, 0, make([]byte, 2))
	s.Write(k, message.AppendEntire(nil, &message.Header{}, []byte("$.A"), []byte("data"))[:30])
	s.Poll(k, 5, true)
	s.SetAttr(deviceNode, fuse.SetAttr{Mode: new(uint32)})

	next := s.handedOver(t)
	if n := next.wakes(); n != 0 || next.inside != s.inside || next.charged != s.charged || s.charged == 0 {
		t.Errorf("%d said; %d inside and %d bytes, and before %d and %d", n, next.inside, next.charged, s.inside, s.charged)
	}
	if a, _ := next.Attr(deviceNode); a != s.nodes.device {
		t.Errorf("the device is %+v", a)
	}
	if _, e := next.Read(ended, 0, make([]byte, 2)); e != unix.ENOTCONN {
		t.Errorf("a Ksock that has ended: %v", e)
	}
	rest := make([]byte, 10)
	if n, e := next.Read(report, 2, rest); string(rest[:n]) != "ats" || e != 0 {
		t.Errorf("the rest of the report is %q, %v", rest[:n], e)
	}
	if _, e := next.Write(k, message.AppendEntire(nil, &message.Header{}, []byte("$.A"), []byte("data"))[30:]); e != 0 {
		t.Fatal(e)
	}
	if result, _ := next.Ioctl(k, &fuse.Ioctl{Command: file.IoctlSend}); result < 0 {
		t.Fatal(result)
	}
	next.tell()
	if n := next.wakes(); n != 1 {
		t.Errorf("who polls is woken %d times", n)
	}
	if again := next.mustOpen(t, deviceNode); again != gone {
		t.Errorf("the handle that was free is %d, and the next %d", gone, again)
	}
	next.End()
	if next.inside != 0 || next.charged != 0 || next.bus.Info().Ksocks != 0 {
		t.Errorf("%d inside, %d bytes, %d Ksocks", next.inside, next.charged, next.bus.Info().Ksocks)
	}
}

// TestBadStates: what does not fit together is an error.
func TestBadStates(t *testing.T) {
	s := newStand(t)
	s.mustOpen(t, deviceNode)
	for name, spoil := range map[string]func(*FileState){
		"a file of no kind":             func(f *FileState) { f.Kind = statsFile + 1 },
		"a Ksock out of nowhere":        func(f *FileState) { f.Ksock = 1 },
		"a message longer than its own": func(f *FileState) { f.File.Unread = []byte("x") },
	} {
		state, err := bus.StateOf(s.bus)
		if err != nil {
			t.Fatal(err)
		}
		b, ksocks, err := bus.FromState(state, bus.Config{})
		if err != nil {
			t.Fatal(err)
		}
		its := StateOf(s.Device, func(*bus.Ksock) int { return 0 })
		spoil(&its.Files[0])
		conn, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := Resume(Config{Group: -1}, 0, b, &stand{}, its, conn, ksocks); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			d.conn.Close()
		}
	}
}
