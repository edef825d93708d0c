package loop

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// What a client does to the descriptors it was given, and to those it gives, makes nobody wait but itself. A daemon that
// waits is met by the timeout of the test.

// A client that sleeps is woken by its bell, and finds nothing in its socket but the end.
func TestBell(t *testing.T) {
	b := start(t, nil)
	sender, reader := b.open(), b.openRings()
	reader.Bind("$.A", false)
	for i := range 3 {
		sender.Must(wire.OpSendMessage, 0, announcement("$.A", fmt.Sprint(i)))
		m := reader.Receive()
		if string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("received %v", m)
		}
	}
	b.stop()
	if n, err := reader.UnixConn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("in the socket: %d bytes, %v", n, err)
	}
}

// Or it is woken by bytes in its socket.
func TestBellInSocket(t *testing.T) {
	b := start(t, nil)
	sender, reader := b.open(), b.dial()
	reader.HelloFeatures(wire.ModeRead|wire.ModeWrite, wire.FeatureRings|wire.FeatureArena|wire.FeatureSocketBell)
	reader.Bind("$.A", false)
	for i := range 3 {
		sender.Must(wire.OpSendMessage, 0, announcement("$.A", fmt.Sprint(i)))
		if m := reader.Receive(); string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("received %v", m)
		}
	}
}

// A client that asks for rings of the first layout, as all did once, gets none, and goes on over the socket.
func TestFirstLayoutIsNotGranted(t *testing.T) {
	b := start(t, nil)
	for _, features := range []uint32{1, 1 | 2, 1 | 4, 1 | 2 | 4} {
		c := b.dial()
		seq := c.Put(wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: features}))
		in, rights := make([]byte, 4096), make([]byte, 64)
		n, m, _, _, err := c.ReadMsgUnix(in, rights)
		if err != nil {
			t.Fatal(err)
		}
		h, payload, _, _ := wire.Split(in[:n], wire.MaxResultBytes)
		w, ok := wire.ParseWelcome(payload)
		if !ok || h.Seq != seq || w.Features != 0 || m != 0 {
			t.Errorf("asked for %d: granted %d, with %d bytes of rights", features, w.Features, m)
		}
		c.Bind("$.Old", false)
		c.Must(wire.OpSendMessage, 0, announcement("$.Old", "over the socket"))
		if m := c.Must(wire.OpNextWait, 0, nil).Parse(t); string(m.Data) != "over the socket" {
			t.Errorf("received %v", m)
		}
	}
}

// asleep has a client say that it sleeps, so that what comes for it rings its bell.
func asleep(c *rawclient.Client) { atomic.StoreUint32(c.Rings.Word(rawclient.DownAsleep), 1) }

// Descriptors may be of the same file as the daemon's, with the same flags. A client has all of its own wait, opens anew
// those that can be, and fills what can be filled; then it is rung for, again and again.
func TestBellMadeBlocking(t *testing.T) {
	b := start(t, nil)
	by := b.bystanders(true)
	bad := b.openLog()
	bad.Bind("$.Bad", false)
	fds := []int{bad.Rings.Bell, bad.Rings.Ours, bad.Rings.Segment}
	for _, fd := range fds[:2] {
		again, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err == nil {
			defer unix.Close(again)
			fds = append(fds, again)
		}
	}
	full := binary.NativeEndian.AppendUint64(nil, 1<<64-2) // an eventfd has no room for one more
	for _, fd := range fds {
		unix.Write(fd, full)
		for unix.SetNonblock(fd, true) == nil && fd != bad.Rings.Segment {
			if n, err := unix.Write(fd, make([]byte, 4096)); n <= 0 || err != nil {
				break
			}
		}
		if err := unix.SetNonblock(fd, false); err != nil {
			t.Error(err)
		}
		unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 4096)
	}
	for range 50 {
		asleep(bad)
		by.asker.Must(wire.OpSendMessage, 0, announcement("$.Bad", "wake up"))
		by.talk()
		bad.Rings.TakeMessage()
	}
}

// missing is memory of which a page is not there: whoever touches it, the kernel included, waits until come is called.
type missing struct {
	memory []byte
	fd     int
	once   sync.Once
}

func missingMemory(t *testing.T) *missing {
	fd, _, e := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0)
	if e != 0 {
		t.Skip("userfaultfd: ", e)
	}
	m := &missing{fd: int(fd)}
	const api, register = 0xC018AA3F, 0xC020AA00
	args := [3]uint64{0xAA}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd, api, uintptr(unsafe.Pointer(&args))); e != 0 {
		t.Skip("userfaultfd: ", e)
	}
	var err error
	if m.memory, err = unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON); err != nil {
		t.Fatal(err)
	}
	at := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m.memory))))
	area := [4]uint64{at, uint64(len(m.memory)), 1}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd, register, uintptr(unsafe.Pointer(&area))); e != 0 {
		t.Skip("userfaultfd: ", e)
	}
	t.Cleanup(m.come)
	return m
}

// touched waits until somebody waits for the page.
func (m *missing) touched(t *testing.T) {
	var event [32]byte
	if n, err := unix.Read(m.fd, event[:]); n != len(event) || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

func (m *missing) come() {
	m.once.Do(func() {
		const zeroPage = 0xC020AA04
		at := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m.memory))))
		area := [4]uint64{at, uint64(len(m.memory))}
		unix.Syscall(unix.SYS_IOCTL, uintptr(m.fd), zeroPage, uintptr(unsafe.Pointer(&area)))
		unix.Close(m.fd)
	})
}

// stick has a client wait in an epoll, with an event in it, for memory to put the event into: so it holds the lock of
// the epoll.
func stick(t *testing.T, epoll int) *missing {
	m := missingMemory(t)
	left := make(chan struct{})
	go func() {
		defer close(left)
		unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(m.memory))), 8, ^uintptr(0), 0, 0)
	}()
	t.Cleanup(func() { m.come(); <-left })
	m.touched(t)
	return m
}

// connections is how many are charged for.
func (b *bench) connections() (n int) {
	b.on(func(l *Loop) { n = l.accounts.all.connections })
	return n
}

// A client holds the lock of the epoll that it hears its bell in, and then that of one in which it has put the daemon's
// bell: it is rung for, and its connection ends, which the daemon cannot have done with before the client lets go. Nobody
// else waits, and so long the connection counts.
func TestLocksHeldForEver(t *testing.T) {
	for _, which := range []string{"its own bell", "the daemon's bell"} {
		t.Run(which, func(t *testing.T) {
			b := start(t, nil)
			by := b.bystanders(true)
			bad := b.openRings()
			bad.Bind("$.Bad", false)
			ring := func() {
				asleep(bad)
				by.asker.Must(wire.OpSendMessage, 0, announcement("$.Bad", "wake up"))
			}
			r, epoll := bad.Rings, bad.Rings.Ours
			if which == "its own bell" {
				ring()
			} else {
				var err error
				if epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
					t.Fatal(err)
				}
				defer unix.Close(epoll)
				if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, r.Bell, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
					t.Fatal(err)
				}
				r.Ring()
			}
			held := stick(t, epoll)
			ring()
			by.talk()
			unix.Close(r.Bell) // so that the daemon's is the last
			bad.CloseWrite()   // to close it would wait for the lock
			by.alone()
			by.talk()
			if n := b.connections(); n != 3 {
				t.Errorf("%d connections are charged for, not the one that cannot be closed as well", n)
			}
			held.come()
			b.buried()
			if n := b.connections(); n != 2 {
				t.Errorf("%d connections are charged for in the end", n)
			}
			r.Bell = -1
		})
	}
}

// A client passes descriptors that cannot be closed before it lets go, and the daemon's are the last ones. Nobody notices,
// and it counts as connected until they are closed.
func TestDescriptorsFromClients(t *testing.T) {
	b := start(t, nil)
	by := b.bystanders(true)
	for _, open := range []func() *rawclient.Client{b.open, b.openRings} {
		bad := open()
		raw, err := bad.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var all []*missing
		sent := 0
		for range 4 {
			epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(epoll)
			fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC)
			if err == nil {
				err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN})
			}
			if err != nil {
				t.Fatal(err)
			}
			held := stick(t, epoll)
			all = append(all, held)
			frame := frame(wire.OpReset, 9, 0, nil)
			b.on(func(*Loop) { // which receives it when it is the last one
				raw.Control(func(s uintptr) {
					err = unix.Sendmsg(int(s), frame, unix.UnixRights(fd, fd), nil, 0)
				})
				if err != nil { // it has been hung up on, and this is ours to close
					held.come()
				}
				unix.Close(fd)
			})
			if err != nil {
				break
			}
			sent++
			if bad.Rings == nil {
				bad.TryNext()
			}
			by.talk()
		}
		bad.CloseWrite()
		by.alone()
		by.talk()
		bad.Drain() // all else of it is closed
		for range 20 {
			by.talk()
			if n := b.connections(); sent == 0 || n != 3 {
				t.Fatalf("%d connections are charged for, not the one whose %d descriptors cannot be closed as well", n, sent)
			}
		}
		for _, m := range all {
			m.come()
		}
		b.buried()
		if n := b.connections(); n != 2 {
			t.Errorf("%d connections are charged for in the end", n)
		}
	}
}
