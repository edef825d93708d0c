package kbus_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// Who has sent a message is told while its Ksock is open and afterwards; not for what the bus says.
func TestPeer(t *testing.T) {
	onAll(t, func(w *world) {
		l, s := w.bound(kbus.Listener, "$.A"), w.ksock()
		w.send(s, kbus.Announcement("$.A", ""))
		m, err := l.Receive(w.Context())
		w.must(err)
		want := kbus.Peer{
			Ksock: s.ID(), UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), PID: uint32(os.Getpid()),
			Program: filepath.Base(os.Args[0]), Connected: true,
		}
		check := func(p kbus.Peer) {
			w.Helper()
			if !strings.HasPrefix(want.Program, p.Program) || p.Program == "" { // the kernel knows the first 15 bytes
				w.Errorf("program %q", p.Program)
			}
			p.Program = want.Program
			is(w, "the peer", p, want)
		}
		p, err := l.Observer().Peer(w.Context(), m)
		w.must(err)
		check(p)
		p, process, err := l.Observer().Process(w.Context(), m)
		w.must(err)
		check(p)
		if process == nil {
			w.Error("no descriptor of the process")
		} else {
			process.Close()
		}
		w.must(s.Close())
		want.Connected = false
		p, process, err = l.Observer().Process(w.Context(), m)
		w.must(err)
		check(p)
		if process != nil {
			w.Error("a descriptor of somebody who has gone")
		}
		_, err = l.Observer().Peer(w.Context(), &kbus.Message{})
		w.fails(err, kbus.ErrUnknownKsock)
		_, err = l.Observer().PeerOf(w.Context(), 4711)
		w.fails(err, kbus.ErrUnknownKsock)
	})
}

// The descriptor of a process is of the one that has sent the message: it tells when that ends.
func TestProcess(t *testing.T) {
	if os.Getenv("KBUS_TEST_PEER") != "" {
		k, err := kbus.Open(t.Context(), 0)
		if err == nil {
			_, err = k.Send(t.Context(), kbus.Announcement("$.A", ""))
		}
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin.Read(make([]byte, 1))
		return
	}
	d := startDaemon(t, tempDir(t))
	w := &world{TB: t, open: d.open}
	l := w.bound(kbus.Listener, "$.A")
	child := exec.Command(os.Args[0], "-test.run=^TestProcess$")
	child.Env = append(os.Environ(), "KBUS_TEST_PEER=1", "KBUS_DIR="+d.dir)
	hold, err := child.StdinPipe()
	w.must(err)
	w.must(child.Start())
	m, err := l.Receive(t.Context())
	w.must(err)
	p, process, err := l.Observer().Process(t.Context(), m)
	w.must(err)
	is(w, "process id", p.PID, uint32(child.Process.Pid))
	defer process.Close()
	ended := []unix.PollFd{{Fd: int32(process.Fd()), Events: unix.POLLIN}}
	if n, _ := unix.Poll(ended, 0); n != 0 {
		t.Error("it has ended, it says")
	}
	hold.Close()
	w.must(child.Wait())
	if n, _ := unix.Poll(ended, -1); n != 1 {
		t.Error("it has not ended, it says")
	}
}
