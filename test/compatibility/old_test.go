// Package compatibility holds this version to those before it: clients of 0.1.0 talk to the present daemon as they did to theirs, byte
// by byte, and present clients to the daemon of 0.1.0. What is promised is in docs/compatibility.md.
package compatibility

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kbus.example/kbus/internal/testing/journal"
)

const top = "../.."

// last010 is the last commit of 0.1.0.
const last010 = "9af3d9c"

var dirs []string // to be removed

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range dirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func temporary() (string, error) {
	dir, err := os.MkdirTemp("", "kbus-compatibility-")
	dirs = append(dirs, dir)
	return dir, err
}

// built is where there are kbusd and kbus of this tree, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := temporary()
	if err != nil {
		return "", err
	}
	return dir, build(top, dir)
})

// built010 is the same for 0.1.0.
var built010 = sync.OnceValues(func() (string, error) {
	dir, err := temporary()
	if err != nil {
		return "", err
	}
	unpack := exec.Command("sh", "-ec", `git archive "$1" | tar -xf - -C "$2"`, "sh", last010, dir)
	unpack.Dir = top
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", &failed{err, string(out)}
	}
	return dir, build(dir, dir)
})

func build(tree, into string) error {
	c := exec.Command("go", "build", "-buildvcs=false", "-o", into+"/", "./cmd/kbusd", "./cmd/kbus")
	c.Dir, c.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return &failed{err, string(out)}
	}
	return nil
}

type failed struct {
	error
	said string
}

func (f *failed) Error() string { return f.error.Error() + "\n" + f.said }

// present is where the programs of this tree are.
func present(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// old is where those of 0.1.0 are. A tree without its history cannot build them, and has only the recording.
func old(t *testing.T) string {
	t.Helper()
	history := exec.Command("git", "cat-file", "-e", last010+"^{commit}")
	history.Dir = top
	if err := history.Run(); err != nil {
		t.Skipf("no programs of 0.1.0: its commit %s is not here, git fetch --unshallow gets it", last010)
	}
	dir, err := built010()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// serve runs a daemon until the test ends.
func serve(t *testing.T, bin string, flags ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	daemon := exec.Command(filepath.Join(bin, "kbusd"), append([]string{"--dir", dir}, flags...)...)
	journal.Run(t, daemon).Await("buses are open")
	return dir
}

// command is kbus of some version, at a daemon.
func command(bin, dir string, words ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(bin, "kbus"), append(words, "--dir", dir)...)
	c.Env = append(os.Environ(), "KBUS_DIR=", "NO_COLOR=1")
	return c
}

// says runs one to its end and gives what it writes.
func says(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.Args[1:], " "), err, out)
	}
	return string(out)
}
