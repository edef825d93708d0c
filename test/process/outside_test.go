package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program in a module of its own, which finds the library through a replace line, builds after no more than `go mod
// tidy`, and works with a real daemon.
func TestOutsideModule(t *testing.T) {
	d := startDaemon(t)
	root, err := filepath.Abs("../..")
	must(t, err)
	dir := tempDir(t)
	// With the sums of the library's own module nothing needs the network.
	for _, file := range []string{"testdata/outside/main.go", "../../go.sum"} {
		text, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o644))
	}

	run := func(words ...string) string {
		t.Helper()
		c := exec.Command(words[0], words[1:]...)
		c.Dir = dir
		// What the library needs has been downloaded, for this test was built with it.
		c.Env = append(os.Environ(), "KBUS_DIR="+d.dir, "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
		return string(out)
	}
	run("go", "mod", "init", "example.org/outside")
	run("go", "mod", "edit", "-require=kbus@v0.0.0", "-replace=kbus="+root)
	run("go", "mod", "tidy")
	run("go", "build", "-o", "outside")
	got := strings.TrimSpace(run("./outside"))
	if want := "<Reply '$.Outside', id=[0:3], to=2, from=1, in_reply_to=[0:2], data='hello, from outside'>"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
