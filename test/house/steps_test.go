package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sh runs a shell command at the root of the project.
func sh(t *testing.T, command string, env ...string) (out string, err error) {
	t.Helper()
	c := exec.Command("sh", "-c", command)
	c.Dir, c.Env = root, append(os.Environ(), env...)
	text, err := c.CombinedOutput()
	return string(text), err
}

// TestSteps has the steps of `make test` say what is to be expected before they begin, who is next, and how long it took; the
// first that fails ends them.
func TestSteps(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "make")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho doing $2\ntest $2 != broken\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := sh(t, "test/steps one two", "MAKE="+fake)
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	inOrder(t, out, "minutes", "Its steps are: one two.", "root it installs", "== one ", "doing one", "== one took 0 min 0",
		"== two ", "doing two", "== two took 0 min 0", "all tests passed in 0 min 0")
	out, err = sh(t, "test/steps one broken two", "MAKE="+fake)
	if err == nil || strings.Contains(out, "doing two") || strings.Contains(out, "passed") {
		t.Errorf("a step that fails gives %v, and then %s", err, out)
	}
	inOrder(t, out, "== one took", "== broken failed after", "make broken runs it alone")
}

// TestStepArch is for machines that test every change: a person is told how to run it.
func TestStepArch(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "make")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho doing $2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := sh(t, "test/steps one arch two", "MAKE="+fake, "CI=")
	if err != nil || strings.Contains(out, "doing arch") {
		t.Errorf("%v: %s", err, out)
	}
	inOrder(t, out, "doing one", "arch skipped: make arch runs it", "apt-get install qemu-user-static", "doing two", "all tests passed")
	out, err = sh(t, "test/steps one arch two", "MAKE="+fake, "CI=true")
	if err != nil {
		t.Error(err)
	}
	inOrder(t, out, "doing one", "doing arch", "doing two")
}

// TestStepWeb: a person without a browser is told what the step lacks, by name; a machine that tests every change fails.
func TestStepWeb(t *testing.T) {
	path := t.TempDir() // of programs there are no others
	for _, program := range []string{"bash", "dirname"} {
		at, err := exec.LookPath(program)
		if err == nil {
			err = os.Symlink(at, filepath.Join(path, program))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := sh(t, "test/web", "PATH="+path, "CI=", "CHROMIUM=")
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	inOrder(t, out, "web skipped", "chromium is missing", "apt-get install nodejs npm chromium")
	out, err = sh(t, "test/web", "PATH="+path, "CI=true", "CHROMIUM=")
	if err == nil || strings.Contains(out, "skipped") {
		t.Errorf("with CI=true it gives %v, and then %s", err, out)
	}
}

func inOrder(t *testing.T, text string, words ...string) {
	t.Helper()
	rest := text
	for _, w := range words {
		_, after, found := strings.Cut(rest, w)
		if !found {
			t.Errorf("%q is not there, or not in its place, in\n%s", w, text)
			return
		}
		rest = after
	}
}

// TestPlayBuildsWhatItNeeds: the first thing that a newcomer does should not wait for programs that have no part in it.
func TestPlayBuildsWhatItNeeds(t *testing.T) {
	out, err := sh(t, "make -n play BIN="+t.TempDir())
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	inOrder(t, out, "building kbus and kbusd", "./cmd/kbus", "./cmd/kbusd")
	for _, other := range []string{"./cmd/kbus-limpet", "./cmd/kbus-web", "./cmd/kbus-bench"} {
		if strings.Contains(out, other) {
			t.Errorf("it builds %s", other)
		}
	}
}
