package kbus_test

import (
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Each descriptor of a Ksock is closed once: closing it again would close what somebody else has opened meanwhile.
func TestCloseClosesOnlyItsOwn(t *testing.T) {
	d := startDaemon(t, tempDir(t))
	var over atomic.Bool
	result := make(chan error, 1)
	go func() {
		for !over.Load() {
			fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
			for range 20 {
				if err == nil {
					_, err = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
				}
			}
			if err == nil {
				err = unix.Close(fd)
			}
			if err != nil {
				result <- err
				return
			}
		}
		result <- nil
	}()
	for range 500 {
		k, err := d.open()
		if err != nil {
			t.Fatal(err)
		}
		k.Close()
	}
	over.Store(true)
	if err := <-result; err != nil {
		t.Errorf("a descriptor that is not the library's: %v", err)
	}
}
