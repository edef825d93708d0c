package pair

import (
	"errors"
	"net"
	"path/filepath"
	"testing"

	"kbus.example/kbus"
)

// An end that closes the link with something unread has closed it like any other, though the system calls it a reset.
func TestClosedWithSomethingUnread(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "link"))
	must(t, err)
	defer l.Close()
	near, err := net.Dial("unix", l.Addr().String())
	must(t, err)
	far, err := l.Accept()
	must(t, err)
	s := newStream(&handshake{conn: near, from: near, peer: 2}, 1, 1000, 1000)
	defer s.Close()
	must(t, s.Write(kbus.Announcement("$.Unread", "")))
	_, err = far.Read(make([]byte, 1)) // it has come
	must(t, err)
	must(t, far.Close())
	if err := s.Read(new(kbus.Message)); !errors.Is(err, errHungUp) {
		t.Errorf("%v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
