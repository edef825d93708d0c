package house

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is built is not kept: a program or an object file among the sources is a mistake of `git add`.
func TestNothingBuiltIsKept(t *testing.T) {
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Skipf("this is no checkout of git: %v", err)
	}
	files := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	if len(files) < 1000 {
		t.Fatalf("%d files", len(files))
	}
	for _, name := range files {
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			continue // taken away and not yet committed
		}
		var head [8]byte
		n, _ := f.Read(head[:])
		f.Close()
		if bytes.HasPrefix(head[:n], []byte("\x7fELF")) || bytes.HasPrefix(head[:n], []byte("!<arch>\n")) {
			t.Errorf("%s is built", name)
		}
	}
}
