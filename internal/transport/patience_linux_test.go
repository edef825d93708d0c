package transport

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/wire"
)

// Waits that take long are in the poller, until one is short; of those in the kernel only some are timed.
func TestPatience(t *testing.T) {
	var p patience
	ago := func(d time.Duration) time.Duration { return time.Since(started) - d }
	for range seldom - 1 {
		if p.waited(ago(2 * long)); p.lost {
			t.Fatal("each wait is timed")
		}
	}
	if p.waited(ago(2 * long)); !p.lost {
		t.Error("a long wait is not noticed")
	}
	if p.parked(ago(2 * long)); !p.lost {
		t.Error("one long wait after another, and the next is in the kernel")
	}
	if p.parked(time.Since(started) + time.Hour); p.lost {
		t.Error("after a short wait the next one is not in the kernel")
	}
}

// A bell that was heard in the poller is not heard again by the next wait, and the end of the socket is heard there too.
func TestBellHeardInThePoller(t *testing.T) {
	l, other := pair(t)
	segment, memory, err := ring.Create(ring.Sizes{UpBytes: 4096, DownBytes: 4096, WindowBytes: 4096, WindowSlots: 512})
	if err != nil {
		t.Fatal(err)
	}
	defer segment.Close()
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(bell)
	theirs, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	hearing, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wire.BellEvent, Pad: wire.BellEvent}
	if err := unix.EpollCtl(hearing, unix.EPOLL_CTL_ADD, bell, &event); err != nil {
		t.Fatal(err)
	}
	l.rights = []int{memory, theirs, hearing}
	link, err := l.Upgrade(wire.FeatureRings)
	if err != nil {
		t.Fatal(err)
	}
	r := link.(*rings)
	defer r.Drop()
	for range 3 {
		if _, err := unix.Write(bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		r.patience.lost = true
		if err := r.wait(); err != nil {
			t.Fatal(err)
		}
		if n, err := heed(r.epoll, r.events[:], 0); n != 0 || err != nil {
			t.Fatalf("heard again: %d, %v", n, err)
		}
	}
	unix.Shutdown(other, unix.SHUT_RDWR)
	r.patience.lost = true
	if err := r.wait(); err == nil {
		t.Error("the end is not heard")
	}
}
