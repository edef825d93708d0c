package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A mutant is tried in a process group and a temporary directory of its own. Both are cleared away afterwards: a mutant
// may well make tests hang, and leave what they have started. It may also allocate without end, so there is a limit.

type verdict int

const (
	alive verdict = iota
	dead
	noBuild
)

// patience is for a mutant that makes the tests wait for ever: that is noticed, too.
const patience = 150 * time.Second

// limits is a script that runs go with a limit of memory: 4 GiB for each process.
const limits = `ulimit -d 4194304; exec "$0" "$@"`

// try runs the mutant's tests, in their order, until one fails, and says which.
func (m mutant) try(ctx context.Context) (verdict, string) {
	dir, err := os.MkdirTemp("", "mut") // sockets are in it, whose paths must be short
	if err != nil {
		return noBuild, err.Error()
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(dir)
	if err != nil {
		return noBuild, err.Error()
	}
	for _, tests := range m.tests {
		out, slow, err := goTest(ctx, dir, append([]string{"-overlay", overlay}, strings.Fields(tests)...))
		switch {
		case slow:
			return dead, "killed by waiting for " + tests
		case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
			return noBuild, string(out)
		case err != nil:
			return dead, "killed by " + firstFailure(string(out), tests)
		}
	}
	return alive, ""
}

// goTest runs go test, and kills whatever is left of it.
func goTest(ctx context.Context, dir string, args []string) (out []byte, slow bool, err error) {
	limited, done := context.WithTimeout(ctx, patience)
	defer done()
	args = append([]string{"-c", limits, "go", "test", "-failfast", "-timeout", "120s", "-vet=off", "-ldflags=-s -w"}, args...)
	c := exec.CommandContext(limited, "sh", args...)
	c.Env = append(os.Environ(), "TMPDIR="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	killGroup := func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.Cancel = killGroup
	c.WaitDelay = time.Second // for what has left the group
	out, err = c.CombinedOutput()
	if c.Process != nil {
		_ = killGroup() // mostly there is nothing left
	}
	return out, limited.Err() != nil, err
}

// firstFailure names what has failed, or has hung, first.
func firstFailure(out, tests string) string {
	hung := ""
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		switch {
		case len(f) > 2 && f[0] == "---" && f[1] == "FAIL:":
			return f[2]
		case strings.HasPrefix(line, "panic: test timed out"):
			hung = "time in "
		case hung != "" && strings.HasPrefix(line, "\t\t") && len(f) > 0: // below "running tests:"
			return hung + f[0]
		case strings.HasPrefix(line, "panic:"), strings.HasPrefix(line, "fatal error:"):
			return strings.TrimSpace(line)
		}
	}
	return hung + tests
}

// overlay writes the broken file into dir, and what tells the go command to take it.
func (m mutant) overlay(dir string) (string, error) {
	text, err := m.broken()
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	broken, path := filepath.Join(dir, filepath.Base(m.file)), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(broken, []byte(text), 0o644); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {original: broken}})
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, b, 0o644)
}
