package device

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// gone checks what is left of a device to who had it open when its daemon ended.
func gone(t *testing.T, k interface {
	Write([]byte) (int, unix.Errno)
	Next() (int, uint32, unix.Errno)
	Poll(int16, int) (int16, error)
}) {
	t.Helper()
	if _, errno := k.Write([]byte("x")); errno != unix.ENOTCONN {
		t.Errorf("write: %v", errno)
	}
	if _, _, errno := k.Next(); errno != unix.ENOTCONN {
		t.Errorf("NEXTMSG: %v", errno)
	}
	if ready, err := k.Poll(unix.POLLIN, 0); err != nil || ready&unix.POLLERR == 0 {
		t.Errorf("poll: %#x, %v", ready, err)
	}
}

// kill -9 of the daemon: who has the device open is told, who waits is woken, and the next daemon puts a device in the
// place of what the dead one left.
func TestDaemonKilled(t *testing.T) {
	dir := tempDir(t)
	d := startIn(t, dir, "--buses", "3")
	k, sleeper := d.rw(), d.rw()
	woken := make(chan int16)
	go func() {
		ready, _ := sleeper.Poll(unix.POLLIN, -1)
		woken <- ready
	}()
	d.murder()
	if ready := <-woken; ready&unix.POLLERR == 0 {
		t.Errorf("who slept is told %#x", ready)
	}
	gone(t, k)
	if kind() == "fuse" {
		if _, err := os.Stat(d.path(0)); !errors.Is(err, unix.ENOTCONN) {
			t.Errorf("the stale device says %v", err)
		}
	}
	again := startIn(t, dir)
	ok(t, again.rw().Bind("$.Again", 1))
	gone(t, k)
	for _, left := range []string{again.path(1), again.path(2), filepath.Join(dir, "bus2")} {
		if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", left, err)
		}
	}
	again.stop()
	empty(t, dir, "bus1.sock", "bus2.sock") // what is not used again
}

// A link to what a dead daemon served from another directory is no hindrance either.
func TestLinkOfDeadDaemon(t *testing.T) {
	needFUSE(t)
	dead := start(t)
	dead.rw()
	dead.murder()
	next := startIn(t, tempDir(t), "--device-link", dead.link)
	if to, err := os.Readlink(dead.path(0)); err != nil || filepath.Dir(filepath.Dir(to)) != next.dir {
		t.Errorf("the link leads to %s, %v", to, err)
	}
	ok(t, dead.rw().Bind("$.Next", 1))
	unix.Unmount(filepath.Join(dead.dir, "bus0"), unix.MNT_DETACH)
}

// What is in the way is not touched, and the daemon says what it is.
func TestInTheWay(t *testing.T) {
	needFUSE(t)
	dir := tempDir(t)
	must(t, os.WriteFile(filepath.Join(dir, "kbus1"), []byte("mine"), 0o600))
	refused(t, command(t, dir, "--buses", "2"), "kbus1 is in the way and is no link")
	if text, err := os.ReadFile(filepath.Join(dir, "kbus1")); string(text) != "mine" {
		t.Error(text, err)
	}
	empty(t, dir, "kbus1")

	first := start(t)
	second := command(t, tempDir(t), "--device-link", first.link)
	refused(t, second, "does another daemon serve it?")
	empty(t, second.dir)
	ok(t, first.rw().Bind("$.First", 1))
}

// refused checks that a daemon does not start, and says why.
func refused(t *testing.T, d *daemon, why string) {
	t.Helper()
	if err := d.process.Run(); err == nil || !strings.Contains(d.log.String(), why) {
		t.Errorf("%v, and it said %q; want %q", err, d.log.String(), why)
	}
}

// empty checks that a directory has nothing but this.
func empty(t *testing.T, dir string, but ...string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(but, " ") {
		t.Errorf("in %s there are %q", dir, names)
	}
}

// A stop in order: nobody new comes in, queues are read, and nothing is left.
func TestStop(t *testing.T) {
	d := start(t, "--buses", "2", "--drain", "1h")
	k, ask := d.rw(), d.rw()
	ok(t, k.Bind("$.Queue", 1))
	another := func() unix.Errno {
		_, errno := ask.Send(message.Header{Flags: message.WantAReply}, "$.Queue", "?")
		if errno != unix.ENOLCK && errno != unix.ESHUTDOWN {
			ok(t, errno)
		}
		return errno
	}
	for another() != unix.ENOLCK { // until there is no room for one more Reply
	}
	must(t, d.process.Process.Signal(syscall.SIGTERM))
	for another() != unix.ESHUTDOWN { // until the signal has come through
	}
	if fd, err := unix.Open(d.path(0), unix.O_RDWR, 0); err == nil {
		unix.Close(fd)
		t.Error("somebody new came in")
	}
	answered := 0
	for {
		q, some, errno := k.Receive()
		if errno == unix.ENOTCONN || errno == unix.ECONNABORTED {
			break // nothing more is owed: it ended before or while we asked
		}
		if ok(t, errno); !some {
			break
		}
		_, errno = k.Send(message.Header{InReplyTo: q.ID, To: q.From}, q.Name, "!")
		ok(t, errno)
		if r, some, errno := ask.Receive(); errno != 0 || !some || string(r.Data) != "!" {
			t.Fatalf("%v, %v", errno, r.String())
		}
		answered++
	}
	if answered == 0 {
		t.Error("nothing was answered")
	}
	<-d.gone
	if code := d.process.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	gone(t, k)
	empty(t, d.dir)
	if _, err := os.Lstat(d.path(0)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the device is left: %v", err)
	}
}

// A program that owes an answer and never gives it is closed in time, so that whoever asked gets a Status: here one
// through the socket.
func TestStopGivesStatuses(t *testing.T) {
	d := start(t, "--drain", "5s")
	k, ask := d.rw(), d.rw()
	ok(t, k.Bind("$.Slow", 1))
	_, errno := ask.Send(message.Header{Flags: message.WantAReply}, "$.Slow", "?")
	ok(t, errno)
	woken := make(chan message.Message)
	go func() {
		ask.Poll(unix.POLLIN, -1)
		m, _, _ := ask.Receive()
		woken <- m
	}()
	must(t, d.process.Process.Signal(syscall.SIGTERM))
	if m := <-woken; m.Name != message.NameGoneAway {
		t.Errorf("got %q", m.Name)
	}
	<-d.gone
	gone(t, k)
}

// NEWDEVICE makes a device that is there when its number is told (R3.81).
func TestNewDevice(t *testing.T) {
	d := start(t, "--buses", "2")
	k := d.rw()
	for want := uint32(2); want < 5; want++ {
		n, _, errno := k.Word(file.IoctlNewDevice, 0)
		if ok(t, errno); n != want {
			t.Fatalf("device %d", n)
		}
		fd, err := unix.Open(d.path(int(n)), unix.O_RDWR, 0)
		must(t, err)
		unix.Close(fd)
	}
	if _, err := unix.Open(d.path(5), unix.O_RDWR, 0); err != unix.ENOENT {
		t.Errorf("device 5: %v", err)
	}
	d.stop()
	empty(t, d.dir)
}

// An unmount by hand takes the device away and leaves the bus.
func TestUnmounted(t *testing.T) {
	needFUSE(t)
	d := start(t)
	s := d.socket(false)
	must(t, unix.Unmount(filepath.Join(d.dir, "bus0"), 0))
	must(t, s.Bind(t.Context(), "$.Still", 1))
	d.stop()
	empty(t, d.dir)
}
