package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// startError is what Start says in a directory.
func startError(dir string) error {
	config := Default()
	config.Dir = dir
	s, err := Start(config, nil)
	if err == nil {
		s.Stop(0)
		s.Wait()
	}
	return err
}

// listenAt makes a listening socket, and closes it unless alive, as a daemon that died would leave it.
func listenAt(t *testing.T, path string, alive bool) {
	t.Helper()
	socket, _, err := listenOn(path, 0o600, -1)
	if err != nil {
		t.Fatal(err)
	}
	if alive {
		t.Cleanup(func() { unix.Close(socket.FD) })
	} else {
		unix.Close(socket.FD)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	dir := t.TempDir()
	listenAt(t, filepath.Join(dir, "bus0.sock"), false)
	if err := startError(dir); err != nil {
		t.Error(err)
	}
}

func TestLiveSocketIsNot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bus0.sock")
	listenAt(t, path, true)
	if err := startError(dir); err == nil || !strings.Contains(err.Error(), "somebody listens there already") {
		t.Errorf("got %v", err)
	}
	if err := tryConnect(path); err != nil {
		t.Errorf("the other's socket is gone: %v", err)
	}
}

func TestFileInTheWay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bus0.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := startError(dir); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Error("the file was touched")
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	b := start(t, nil)
	err := startError(b.Dir())
	if !errors.Is(err, ErrDirInUse) || !strings.Contains(err.Error(), fmt.Sprint("pid ", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	b.open().Must(wire.OpReset, 0, nil)
	b.Stop(0)
	b.Wait()
	if err := startError(b.Dir()); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	if left, _ := os.ReadDir(b.Dir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A Start that fails half way leaves nothing.
func TestFailedStartLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	config := Default()
	config.Dir, config.Buses = dir, 3
	if err := os.Mkdir(filepath.Join(dir, "bus2.sock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(config, nil); err == nil {
		t.Fatal("it started")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDirTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := startError(dir); err == nil || !strings.Contains(err.Error(), "the kernel takes 107") {
		t.Errorf("got %v", err)
	}
}

// The permissions of the socket are the access control (Q8).
func TestModeAndGroup(t *testing.T) {
	b := start(t, func(c *Config) { c.SocketMode, c.SocketGroup = 0o640, fmt.Sprint(os.Getgid()) })
	checkMode(t, b.path(0), 0o640)
	dir, err := os.Stat(b.Dir())
	if err != nil || !dir.IsDir() {
		t.Fatal(err)
	}
	config := Default()
	config.Dir, config.SocketGroup = t.TempDir(), "no such group"
	if _, err := Start(config, nil); err == nil || !strings.Contains(err.Error(), "socket group") {
		t.Errorf("an unknown group gives %v", err)
	}
}

func checkMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != want {
		t.Errorf("%s has mode %o; want %o", path, info.Mode().Perm(), want)
	}
}

// Buses can be added by any number of clients on any number of buses at once: each gets a number of its own, and the
// bus is there when the answer is (R3.81, F19). At the limit all get ErrTooManyBuses (R3.81).
func TestNewBus(t *testing.T) {
	const most = 9
	b := start(t, func(c *Config) { c.Buses, c.Limits.Buses = 3, most })
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen, refused := map[uint32]bool{}, 0
	for i := range 12 {
		c := rawclient.Open(t, b.path(i%3))
		wg.Go(func() {
			f := c.Ask(wire.OpNewBus, 0, nil)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case f.Condition == message.ErrTooManyBuses:
				refused++
			case f.Condition != message.OK || seen[f.Arg]:
				t.Errorf("got bus %d, %v", f.Arg, f.Condition)
			default:
				seen[f.Arg] = true
				rawclient.Open(t, b.path(int(f.Arg))).Must(wire.OpReset, 0, nil)
			}
		})
	}
	wg.Wait()
	if len(seen) != most-3 || refused != 12-len(seen) || b.Buses() != most {
		t.Errorf("%d buses were made, %d refused, %d are there", len(seen), refused, b.Buses())
	}
	b.Await("refused", "limit=buses")
}

// Buses share nothing (R1.1).
func TestBusesAreApart(t *testing.T) {
	b := start(t, func(c *Config) { c.Buses = 2 })
	one, two := b.open(), rawclient.Open(t, b.path(1))
	one.Bind("$.Same", true)
	two.Bind("$.Same", true)
	if f := two.Must(wire.OpReplier, 0, []byte("$.Same")); f.Arg != 1 {
		t.Errorf("the second bus's Replier is %d", f.Arg)
	}
}
