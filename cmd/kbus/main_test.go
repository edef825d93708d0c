package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"kbus"
	"kbus/cmd/kbus/stage"
)

// The tests run the real binaries, which are built once. bin is where they are; it is in PATH too.
var bin string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kbus-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-o", dir, "kbus/cmd/kbus", "kbus/cmd/kbusd", "kbus/cmd/kbus-limpet")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"KBUS_DIR", "NO_COLOR", "XDG_RUNTIME_DIR"} {
		os.Unsetenv(name)
	}
	return m.Run()
}

// withDaemon starts a daemon for the test and points KBUS_DIR to it.
func withDaemon(t *testing.T, buses int) *stage.Stage {
	t.Helper()
	runtime.LockOSThread()
	s, err := stage.Build(t.Context(), filepath.Join(bin, "kbusd"), buses)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Strike(); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
	t.Setenv("KBUS_DIR", s.Dir)
	return s
}

// openKsock is a partner for the command under test.
func openKsock(t *testing.T) *kbus.Ksock {
	t.Helper()
	k, err := kbus.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
