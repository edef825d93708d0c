// Package test tries the C library with real processes: it has the library made, starts a daemon, and runs programs in
// C against it.
package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"kbus.example/kbus/internal/server"
)

// The library is made once for all tests, in a directory of its own.
var library struct {
	once sync.Once
	dir  string
	said []byte
	err  error
}

func TestMain(m *testing.M) {
	if dir, is := os.LookupEnv(daemonVariable); is {
		beDaemon(dir)
		return
	}
	status := m.Run()
	if library.dir != "" {
		os.RemoveAll(library.dir)
	}
	os.Exit(status)
}

// made is the path of something that bindings/c/Makefile makes.
func made(t *testing.T, name string) string {
	t.Helper()
	library.once.Do(func() {
		if library.dir, library.err = os.MkdirTemp("", "kbus-c"); library.err != nil {
			return
		}
		library.said, library.err = exec.Command("make", "-s", "-j2", "-C", "..", "OUT="+library.dir,
			"EXTRA=-Werror").CombinedOutput()
	})
	if library.err != nil {
		t.Fatalf("the library cannot be made: %v\n%s(gcc, libc6-dev and make are needed)", library.err, library.said)
	}
	return filepath.Join(library.dir, name)
}

// shortDir is a directory for sockets, whose paths have 107 bytes at most.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// serve starts a server in this process, reached through its sockets only.
func serve(t *testing.T, change func(*server.Config)) (dir string, stop func()) {
	t.Helper()
	config := server.Default()
	config.Dir = shortDir(t)
	if change != nil {
		change(&config)
	}
	s, err := server.Start(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return config.Dir, sync.OnceFunc(func() {
		s.Stop(0)
		s.Wait()
		os.RemoveAll(config.Dir)
	})
}
