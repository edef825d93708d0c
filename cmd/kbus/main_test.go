package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/stage"
	"kbus.example/kbus/internal/testing/programs"
)

// The tests run the real binaries, which are built once. bin is where they are; it is in PATH too.
var bin string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, func(dir string) error { bin = dir; return nil }, "kbus", "kbusd", "kbus-limpet"))
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
	k, err := kbus.Open(t.Context(), 0)
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
