package sock

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func listen(t *testing.T, path string) (fd int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if path != "" {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil && path != "" {
		err = unix.Listen(fd, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestPath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	for _, path := range []string{file, "@kbus-test-sock\x00b", ""} {
		if got, err := Path(listen(t, path)); got != path || err != nil {
			t.Errorf("%q: %q, %v", path, got, err)
		}
	}
	tcp, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(tcp)
	if got, err := Path(tcp); err == nil {
		t.Errorf("of a TCP socket: %q", got)
	}
	if _, err := Path(-1); err != unix.EBADF {
		t.Error(err)
	}
}

// A client is accepted, and sends bytes and descriptors.
func TestAcceptAndReceive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	door := listen(t, path)
	if _, err := Accept(door, unix.SOCK_CLOEXEC); err != unix.EAGAIN {
		t.Errorf("while nobody waits: %v", err)
	}
	client := listen(t, "")
	if err := unix.Connect(client, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	fd, err := Accept(door, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Sendmsg(client, []byte("hello"), unix.UnixRights(client, door), nil, 0); err != nil {
		t.Fatal(err)
	}
	p, oob := make([]byte, 10), make([]byte, unix.CmsgSpace(4*8))
	n, more, err := Receive(fd, p, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil || string(p[:n]) != "hello" {
		t.Fatalf("%q, %v", p[:n], err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:more])
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 2 {
		t.Fatal(fds, err)
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
	if _, _, err := Receive(-1, p, oob, 0); err != unix.EBADF {
		t.Error(err)
	}
}
