package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// What keeps serve from working is said, and ends it, unless time may mend it: then it goes on.

func serve(t *testing.T, dir string, flags ...string) *process {
	t.Helper()
	return start(t, nil, append([]string{"kbus-limpet", "serve", "--dir", dir, "--id", "1"}, flags...)...)
}

func TestServePortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	at := taken.Addr().String()
	for _, flags := range [][]string{
		{"--listen", at}, {"--listen", "127.0.0.1:0", "--peers", at, "--routes", "127.0.0.1:1"},
	} {
		p := serve(t, t.TempDir(), append(flags, "--store", t.TempDir())...)
		status := p.status()
		if logged := strings.Join(p.logged, "\n"); status != int(syscall.EADDRINUSE) || !strings.Contains(logged, at) ||
			!strings.Contains(logged, "address already in use") {
			t.Errorf("%v: status %d\n%s", flags, status, logged)
		}
	}
}

func TestServeStoreUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, store := range []string{file, file + "/below", "/proc/none"} {
		p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--store", store)
		if status := p.status(); status == 0 || !strings.Contains(strings.Join(p.logged, "\n"), "the NATS server does not start: ") {
			t.Errorf("%s: status %d\n%s", store, status, strings.Join(p.logged, "\n"))
		}
	}
}

// small is a directory with so many bytes of room.
func small(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no file system of our own: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func fill(dir string) {
	f, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		return
	}
	defer f.Close()
	for b := make([]byte, 4096); err == nil; {
		_, err = f.Write(b)
	}
}

// No room from the beginning: it says so, and tries on.
func TestServeStoreFull(t *testing.T) {
	dir, store := t.TempDir(), small(t, 64<<10)
	daemon(t, dir)
	fill(store)
	p := serve(t, dir, "--listen", "127.0.0.1:0", "--store", store)
	p.await("trying on", "insufficient storage")
	if status := p.terminate(); status != 0 {
		t.Errorf("status %d", status)
	}
}

// No room later: it ends, so that it is started anew when there is some.
func TestServeStoreFills(t *testing.T) {
	dir, store := t.TempDir(), small(t, 1<<20)
	daemon(t, dir)
	p := serve(t, dir, "--listen", "127.0.0.1:0", "--store", store)
	p.await("joined")
	fill(store)
	k := open(t, dir)
	for n := range 5000 { // the directory grows until it cannot
		if err := k.Bind(t.Context(), fmt.Sprintf("$.Name%d", n), kbus.Replier); err != nil {
			break
		}
	}
	if status := p.status(); status != 1 || !strings.Contains(strings.Join(p.logged, "\n"), "can store nothing any more") {
		t.Errorf("status %d\n%s", status, strings.Join(p.logged, "\n"))
	}
}

// Without a daemon a federation's Limpet waits for one; a pair and an ordered bowl end.
func TestNoDaemon(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir, "--listen", "127.0.0.1:0", "--store", t.TempDir())
	p.await("the bus is not joined, trying again", "is kbusd running?")
	daemon(t, dir)
	p.await("joined")
	for _, command := range []string{
		"pair --listen " + dir + "/l --legacy --id 1", "serve --ordered --inlet 1 --id 1 --listen 127.0.0.1:0 --store " + t.TempDir(),
	} {
		p := start(t, nil, append([]string{"kbus-limpet", "--dir", t.TempDir()}, strings.Fields(command)...)...)
		if status := p.status(); status != 2 || !strings.Contains(strings.Join(p.logged, "\n"), "is kbusd running?") {
			t.Errorf("%s: status %d\n%s", command, status, strings.Join(p.logged, "\n"))
		}
	}
}
