package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// The daemon is built once, and only if a test needs it, as `make build` does it: figures of another one would be
// wrong.

var (
	builtDir string

	buildDaemon = sync.OnceValues(func() (path string, err error) {
		if builtDir, err = os.MkdirTemp("", "kbus"); err != nil {
			return "", err
		}
		path = filepath.Join(builtDir, "kbusd")
		return path, programs.Build(builtDir, "kbusd")
	})
)

// build builds a daemon with such flags of the linker.
func build(path, flags string) error {
	build := exec.Command("go", "build", "-trimpath", "-ldflags="+flags, "-o", path, "kbus.example/kbus/cmd/kbusd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func daemonPath(t testing.TB) string {
	t.Helper()
	path, err := buildDaemon()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func removeBuilt() {
	if builtDir != "" {
		os.RemoveAll(builtDir)
	}
}
