package transport

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/wire"
)

// pair is a Socket, connected as Dial connects it, and the other end.
func pair(t *testing.T) (*Socket, int) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(listener)
	if err = unix.Bind(listener, &unix.SockaddrUnix{Name: path}); err == nil {
		err = unix.Listen(listener, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := Dial(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := unix.Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(other) })
	return l.(*Socket), other
}

// turns waits again and again for what comes at once, until three turns have begun.
func turns(t *testing.T, tu *turn, once func()) {
	t.Helper()
	begun := tu.begun
	for n, tries := 0, 0; n < 3; tries++ {
		once()
		if tu.begun != begun {
			n, begun = n+1, tu.begun
		}
		if tries == 1_000_000 {
			t.Fatalf("so many waits, and %d turns", n)
		}
	}
}

// A goroutine that waits in the kernel again and again passes through the scheduler now and then: on a socket, where
// something comes so soon that it never waits in the poller, ...
func TestSocketTurns(t *testing.T) {
	l, other := pair(t)
	defer l.Drop()
	l.wantsRings = false
	p := make([]byte, 10)
	turns(t, &l.turn, func() {
		if _, err := unix.Write(other, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Recv(p, false); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	})
}

// ... and on rings, whose bell rings at once; it waits for room that does not come.
func TestRingTurns(t *testing.T) {
	l, _ := pair(t)
	segment, memory, err := ring.Create(ring.Sizes{UpBytes: 4096, DownBytes: 4096, WindowBytes: 4096, WindowSlots: 512})
	if err != nil {
		t.Fatal(err)
	}
	defer segment.Close()
	var fds [3]int // our bell, where we hear it, the daemon's bell
	for i, open := range []func() (int, error){
		func() (int, error) { return unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK) },
		func() (int, error) { return unix.EpollCreate1(unix.EPOLL_CLOEXEC) },
		func() (int, error) { return unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK) },
	} {
		if fds[i], err = open(); err != nil {
			t.Fatal(err)
		}
	}
	defer unix.Close(fds[0])
	heard := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fds[0])}
	if err := unix.EpollCtl(fds[1], unix.EPOLL_CTL_ADD, fds[0], &heard); err != nil {
		t.Fatal(err)
	}
	l.rights = []int{memory, fds[2], fds[1]}
	upgraded, err := l.Upgrade(wire.FeatureRings)
	if err != nil {
		t.Fatal(err)
	}
	defer upgraded.Drop()
	for n := 1; n > 0; { // until there is no room
		if n, err = upgraded.Send(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	turns(t, &l.turn, func() {
		unix.Write(fds[0], []byte{1, 0, 0, 0, 0, 0, 0, 0})
		if n, err := upgraded.Recv(make([]byte, 10), true); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	})
}

// With one processor, others have theirs at the end of a turn. Not of every one: each 61st time the scheduler looks first
// where those stand that have just given up theirs, so that they come back at once. But they do not come back again and
// again.
func TestTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	done := make(chan struct{})
	go close(done)
	for range 10 {
		tu := turn{begun: time.Since(started) - longestTurn - 1}
		tu.before()
		select {
		case <-done:
			return
		default:
		}
	}
	t.Error("the scheduler has not been passed through")
}
