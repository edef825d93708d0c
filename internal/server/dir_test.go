package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A runtime directory where no client could find a bus is refused in words, and not made.
func TestDirsThatCannotBe(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	for dir, want := range map[string]string{
		"@abstract": "names of abstract sockets, which begin with @, are not supported",
		long:        "the kernel takes 107",
	} {
		if _, err := lockDir(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s has been made", dir)
		}
	}
}
