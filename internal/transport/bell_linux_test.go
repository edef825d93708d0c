package transport

import (
	"encoding/binary"
	"math"
	"testing"

	"golang.org/x/sys/unix"
)

// A bell that can take no more is rung all the same: who watches it sees it each time. Else a client of an emulated
// machine of the other byte order stands still for ever after some hundred bells.
func TestFullBellRings(t *testing.T) {
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(bell)
	watch, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	if err := unix.EpollCtl(watch, unix.EPOLL_CTL_ADD, bell, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET}); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(bell, binary.NativeEndian.AppendUint64(nil, math.MaxUint64-1)); err != nil {
		t.Fatal(err)
	}
	events := make([]unix.EpollEvent, 2)
	rung := func() int {
		n, err := unix.EpollWait(watch, events, 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rung()
	l := rings{bell: bell}
	for i := range 3 {
		if l.ring(); rung() != 1 {
			t.Fatalf("bell %d was not seen", i+1)
		}
	}
}
