package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The tests run the real binaries, which are built once and lie in PATH then.
func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kbus-limpet-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, "kbus/cmd/kbus-limpet", "kbus/cmd/kbusd", "kbus/cmd/kbus")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	if err := os.Symlink("kbus-limpet", dir+"/"+originalName); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"KBUS_DIR", "NO_COLOR", "XDG_RUNTIME_DIR"} {
		os.Unsetenv(name)
	}
	return m.Run()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
