package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs for all machines, made once.

// oneOf so many recordings is replayed in the short form.
const oneOf = 12

// workshop is where programs for all machines are made.
type workshop struct {
	module, dir string
	traces      string // where the recordings are
}

func newWorkshop(short bool) (*workshop, error) {
	dir, err := os.MkdirTemp("", "arch")
	if err != nil {
		return nil, err
	}
	w := &workshop{module: module(), dir: dir}
	w.traces = filepath.Join(w.module, "internal/file/testdata/traces")
	if short {
		if err := w.choose(); err != nil {
			return nil, err
		}
	}
	return w, w.equip(&here)
}

// longest is the recording in which one program waits most often for the daemon; it is always among those chosen. A bell that
// one machine rings with other numbers than the other shows only then.
const longest = "scenario-F7-lenleft.jsonl"

// choose takes one recording of some.
func (w *workshop) choose() error {
	files, err := filepath.Glob(filepath.Join(w.traces, "*.jsonl"))
	w.traces = filepath.Join(w.dir, "traces")
	err = errors.Join(err, os.Mkdir(w.traces, 0o755))
	for i, file := range files {
		if name := filepath.Base(file); i%oneOf == 0 || name == longest {
			err = errors.Join(err, os.Symlink(file, filepath.Join(w.traces, name)))
		}
	}
	return err
}

// at is a file made for a machine.
func (w *workshop) at(m *machine, name string) string {
	return filepath.Join(w.dir, m.name, name)
}

// equip makes everything for one machine.
func (w *workshop) equip(m *machine) error {
	compiler := "gcc"
	if m.qemu != "" {
		compiler = m.cc + "-gcc"
	}
	for _, needed := range []string{compiler, m.qemu} {
		if _, err := exec.LookPath(needed); needed != "" && err != nil {
			return fmt.Errorf("%s is missing: test/needs arch installs it, or says what to install", needed)
		}
	}
	if err := os.Mkdir(w.at(m, ""), 0o755); err != nil {
		return err
	}
	conformance := []string{"go", "test", "-c", "-o", w.at(m, "conformance.test"), "./test/conformance"}
	if m.qemu != "" && !m.local {
		conformance = []string{"true"}
	}
	env := append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+m.arch, "GOARM=6")
	for _, step := range [][]string{
		{"go", "build", "-o", w.at(m, ""), "./cmd/kbusd", "./cmd/kbus"},
		{"go", "test", "-c", "-o", w.at(m, "ring.test"), "./internal/ring"},
		conformance,
		{"make", "-s", "-C", "bindings/c", "OUT=" + w.at(m, "c"), "CC=" + compiler + " -Werror", "driver"},
		w.link(m, compiler, "bindings/c/test/testdata/modern.c"),
		w.link(m, compiler, "test/arch/testdata/echo.c"),
	} {
		c := exec.Command(step[0], step[1:]...)
		c.Dir, c.Env = w.module, env
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s for %s: %w\n%s", strings.Join(step, " "), m.name, err, out)
		}
	}
	return nil
}

// link is what makes a program of a source file in C.
func (w *workshop) link(m *machine, compiler, source string) []string {
	return []string{compiler, "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Werror", "-Ibindings/c/include", "-Ibindings/c/include/kbus",
		"-o", w.at(m, strings.TrimSuffix(filepath.Base(source), ".c")), source, w.at(m, "c/libkbus.a"), "-pthread"}
}

// line is what runs a program of a machine.
func (w *workshop) line(m *machine, name string, arguments ...string) []string {
	line := append([]string{w.at(m, name)}, arguments...)
	if m.qemu != "" {
		line = append([]string{m.qemu, "-L", "/usr/" + m.cc}, line...)
	}
	return line
}

// command is that, ready to run. Emulated Go runs without the signals by which its scheduler interrupts goroutines. That is
// caution: a crash was once put down to them, but with qemu 7.2 a whole short form, and twenty runs of the tests of the
// rings on arm, mipsle and s390x, went well with them too.
func (w *workshop) command(m *machine, name string, arguments ...string) *exec.Cmd {
	line := w.line(m, name, arguments...)
	c := exec.Command(line[0], line[1:]...)
	c.Env = os.Environ()
	if m.qemu != "" {
		c.Env = append(c.Env, "GODEBUG=asyncpreemptoff=1", "KBUS_EMULATOR="+m.qemu)
	}
	return c
}

// outcome runs a command to its end. What it says is left out, unless it fails.
func outcome(c *exec.Cmd) string {
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	return "passed"
}

// daemon is a running kbusd.
type daemon struct {
	dir string
	c   *exec.Cmd
}

// daemon starts kbusd of a machine, and returns when it is ready.
func (w *workshop) daemon(m *machine) (*daemon, error) {
	dir, err := os.MkdirTemp(w.dir, "bus")
	if err != nil {
		return nil, err
	}
	d := &daemon{dir: dir, c: w.command(m, "kbusd", "--dir", dir, "--buses", "2", "--log-format", "json")}
	said, err := d.c.StderrPipe()
	if err == nil {
		err = d.c.Start()
	}
	if err != nil {
		return nil, err
	}
	var log []byte
	for p := make([]byte, 4096); !bytes.Contains(log, []byte("buses are open")); {
		n, err := said.Read(p)
		if log = append(log, p[:n]...); err != nil {
			d.end()
			return nil, errors.Join(err, errors.New(string(log)))
		}
	}
	go func() {
		for p := make([]byte, 4096); ; {
			if _, err := said.Read(p); err != nil {
				return
			}
		}
	}()
	return d, nil
}

func (d *daemon) end() {
	d.c.Process.Kill()
	d.c.Wait()
	os.RemoveAll(d.dir)
}
