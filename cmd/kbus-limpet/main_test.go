package main

import (
	"os"
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// The tests run the real binaries, which are built once and lie in PATH then.
func TestMain(m *testing.M) {
	original := func(dir string) error { return os.Symlink("kbus-limpet", filepath.Join(dir, originalName)) }
	os.Exit(programs.Main(m, original, "kbus-limpet", "kbusd", "kbus"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
