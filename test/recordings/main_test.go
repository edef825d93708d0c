// Package recordings proves what a recording is good for: all that was said is in it or counted as missing, where it is missing; and
// said again, all hear it in the order in which it was said, whichever form the recording has.
//
//	go test ./test/recordings -v                                  # the short form
//	make test-recordings                                          # ten million messages
package recordings

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/stage"
	"kbus.example/kbus/internal/testing/programs"
)

var messagesFlag = flag.Int("messages", 20_000, "messages that are sent, recorded and replayed")

// bin is where the programs are.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(programs.Main(m, func(dir string) error { bin = dir; return nil }, "kbus", "kbusd"))
}

// withDaemon starts a fresh bus.
func withDaemon(t *testing.T) *stage.Stage {
	t.Helper()
	runtime.LockOSThread()
	s, err := stage.Build(t.Context(), filepath.Join(bin, "kbusd"), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Strike(); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
	return s
}

func open(t *testing.T, s *stage.Stage, options ...kbus.Option) *kbus.Ksock {
	t.Helper()
	k, err := kbus.Open(t.Context(), 0, append(options, kbus.Dir(s.Dir))...)
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// command is kbus on such a bus.
func command(s *stage.Stage, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(bin, "kbus"), append(args, "--dir", s.Dir)...)
	c.Stderr = os.Stderr
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// awaitFile waits until a recorder records.
func awaitFile(ctx context.Context, t *testing.T, s *stage.Stage, file string) {
	t.Helper()
	o, err := kbus.Observe(ctx, 0, kbus.Dir(s.Dir))
	must(t, err)
	defer o.Close()
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		if _, err := o.Bindings(ctx); err != nil { // which is a way to wait that ends with the test
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

func since(begin time.Time) time.Duration { return time.Since(begin).Round(time.Second / 10) }
