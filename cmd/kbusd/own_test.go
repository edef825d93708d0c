package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/server"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A daemon whose directory was cleaned away, and taken by another since, takes nothing of the other's with it.
func TestLeavesTheFilesOfAnother(t *testing.T) {
	p := runKbusd(t)
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	second := command(t, p.dir, "")
	second.start()
	second.wait("notify: READY=1")
	p.signal(syscall.SIGHUP) // the place has been taken
	p.wait("reload refused", server.ErrDirInUse.Error(), fmt.Sprint("pid ", second.Process.Pid))
	p.signal(syscall.SIGTERM)
	p.exits(exitOK)
	second.open().Must(wire.OpReset, 0, nil)
	third := command(t, p.dir, "")
	third.start()
	third.exits(exitFailure)
	third.wait("cannot start", server.ErrDirInUse.Error())
}

// The same of a daemon that has taken over from one whose directory was cleaned away.
func TestUpgradedLeavesTheFilesOfAnother(t *testing.T) {
	p := runKbusd(t)
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	second := command(t, p.dir, "")
	second.start()
	second.wait("notify: READY=1")
	p.replace()
	p.signalNow(syscall.SIGTERM)
	<-p.ended
	awaitEnd(t, p.now)
	third := command(t, p.dir, "", "--replace")
	third.start()
	third.wait("taken over") // so it has found the second one
	third.open().Must(wire.OpReset, 0, nil)
}

// And it makes again what was gone before it took over.
func TestHangupAfterUpgrade(t *testing.T) {
	p := runKbusd(t, "--buses", "2")
	c := p.open()
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	p.replace()
	p.signalNow(syscall.SIGHUP)
	for bus := range 2 {
		p.wait("the socket was gone: made again", fmt.Sprint("bus=", bus))
	}
	p.wait("reloaded")
	rawclient.Open(t, p.path(1)).Must(wire.OpReset, 0, nil)
	p.open().Must(wire.OpReset, 0, nil)
	c.Must(wire.OpReset, 0, nil)
}

// A directory that was cleaned away, or a socket, comes back with SIGHUP, and who was connected has noticed nothing.
func TestHangupBringsSocketsBack(t *testing.T) {
	p := runKbusd(t, "--buses", "2", "--socket-mode", "0660")
	c := p.open()
	for _, gone := range []string{p.path(1), p.dir} {
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
		if gone == p.dir {
			if got := c.Ask(wire.OpNewBus, 0, nil).Condition; got != message.ErrNoMemory {
				t.Errorf("a new bus without a directory: %v", got)
			}
			p.wait("no new bus", "the runtime directory "+p.dir+" is gone; SIGHUP")
		}
		p.signal(syscall.SIGHUP)
		p.wait("the socket was gone: made again", "bus=1", p.path(1))
		p.wait("reloaded")
		rawclient.Open(t, p.path(1)).Must(wire.OpReset, 0, nil)
		c.Must(wire.OpReset, 0, nil)
	}
	p.wait("the runtime directory was cleaned away: locked anew")
	p.open().Must(wire.OpReset, 0, nil)
	for path, want := range map[string]os.FileMode{p.dir: 0o755, p.path(0): 0o660, filepath.Join(p.dir, "kbusd.lock"): 0o600} {
		checkMode(t, path, want)
	}
	p.signal(syscall.SIGTERM)
	p.exits(exitOK)
	if left, _ := os.ReadDir(p.dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The umask of the shell that starts a daemon says nothing about who may use its buses.
func TestUmask(t *testing.T) {
	within := t.TempDir()
	dir := filepath.Join(within, "made", "also made")
	p := command(t, dir, "umask 077")
	p.start()
	p.wait("notify: READY=1")
	for path, want := range map[string]os.FileMode{
		dir: 0o755, filepath.Dir(dir): 0o755, p.path(0): 0o666, filepath.Join(dir, "kbusd.lock"): 0o600,
	} {
		checkMode(t, path, want)
	}
	if err := os.Chmod(within, 0o700); err != nil {
		t.Fatal(err)
	}
	q := command(t, within, "umask 0")
	q.start()
	q.wait("notify: READY=1")
	checkMode(t, within, 0o700) // what was there stays as somebody wanted it
}

func checkMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %04o; want %04o", path, got, want)
	}
}
