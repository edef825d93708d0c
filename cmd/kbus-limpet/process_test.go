package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// patience is for what never takes that long.
const patience = time.Minute

// process is a program that runs. What it writes to standard error can be waited for.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string // closed at its end
	logged []string
	out    strings.Builder
	ended  bool
}

func start(t *testing.T, env []string, command ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(command[0], command[1:]...), lines: make(chan string, 10000)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout = &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := p.cmd.StderrPipe()
	must(t, err)
	must(t, startHere(p.cmd))
	go func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			p.lines <- lines.Text()
		}
		close(p.lines)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			for _, line := range p.logged {
				t.Logf("%s: %s", filepath.Base(command[0]), line)
			}
		}
	})
	return p
}

// stop has it stand still, and returns when it does.
func (p *process) stop() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	for !status.Stopped() {
		if _, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != syscall.EINTR {
			must(p.t, err)
		}
	}
}

// startHere starts processes from one thread that stays, because Pdeathsig is about threads.
func startHere(c *exec.Cmd) error {
	started := make(chan error)
	starts <- func() { started <- c.Start() }
	return <-started
}

// await waits for a line with these words, behind those that were waited for before.
func (p *process) await(words ...string) string {
	p.t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, more := <-p.lines:
			if !more {
				p.t.Fatalf("%v has ended without a word of %q", p.cmd.Args, words)
			}
			p.logged = append(p.logged, line)
			if hasAll(line, words) {
				return line
			}
		case <-late:
			p.t.Fatalf("%v never says %q", p.cmd.Args, words)
		}
	}
}

func hasAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// status waits for the end and gives the exit status, or the number of the signal with a minus.
func (p *process) status() int {
	p.t.Helper()
	for line := range p.lines {
		p.logged = append(p.logged, line)
	}
	err := p.cmd.Wait()
	p.ended = true
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		p.t.Fatal(err)
	}
	if s := p.cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		return -int(s.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill is kill -9, and waits for the end.
func (p *process) kill() {
	if !p.ended {
		_ = p.cmd.Process.Kill()
		p.status()
	}
}

// terminate ends it in order.
func (p *process) terminate() int {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	return p.status()
}

// daemon starts kbusd in the directory, and waits until it is ready.
func daemon(t *testing.T, dir string, flags ...string) *process {
	t.Helper()
	ready, err := programs.NewReady(dir)
	must(t, err)
	defer ready.Close()
	p := start(t, []string{ready.Variable()}, append([]string{"kbusd", "--dir", dir, "--log-level", "error"}, flags...)...)
	must(t, ready.Await(patience))
	return p
}

func open(t *testing.T, dir string) *kbus.Ksock {
	t.Helper()
	k, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	return k
}

var starts = func() chan<- func() {
	c := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range c {
			f()
		}
	}()
	return c
}()
