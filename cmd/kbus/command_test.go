package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// command is a kbus command that runs, or has run.
type command struct {
	*exec.Cmd
	out, err bytes.Buffer
}

func start(t *testing.T, name string, args ...string) *command {
	t.Helper()
	return startWith(t, nil, name, args...)
}

// startWith is start with something more in the environment.
func startWith(t *testing.T, variables []string, name string, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(name, args...)}
	c.Env = append(os.Environ(), variables...)
	c.Stdout, c.Stderr = &c.out, &c.err
	must(t, c.Start())
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c
}

// status waits for the end, and gives the exit status as a shell does.
func (c *command) status(t *testing.T) int {
	t.Helper()
	err := c.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if s := c.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		return 128 + int(s.Signal())
	}
	return c.ProcessState.ExitCode()
}

// ended looks whether the command has ended, without waiting for it.
func (c *command) ended(t *testing.T) bool {
	t.Helper()
	var info unix.Siginfo
	must(t, unix.Waitid(unix.P_PID, c.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil))
	return info.Signo != 0
}

// kbusOK runs a kbus command that must succeed, and gives what it printed.
func kbusOK(t *testing.T, args ...string) string {
	t.Helper()
	c := start(t, "kbus", args...)
	if status := c.status(t); status != 0 || c.err.Len() > 0 {
		t.Fatalf("kbus %q: status %d, %s", args, status, &c.err)
	}
	return c.out.String()
}

// kbusFails runs a kbus command that must fail with that status, and gives what it printed as errors.
func kbusFails(t *testing.T, want int, args ...string) string {
	t.Helper()
	c := start(t, "kbus", args...)
	if got := c.status(t); got != want {
		t.Errorf("kbus %q: status %d, want %d; %s%s", args, got, want, &c.out, &c.err)
	}
	return c.err.String()
}

// await asks the bus until it says so. Each question is a round trip, so this waits for the bus and not for time.
func await(t *testing.T, so func(*kbus.Observer) bool) {
	t.Helper()
	o, err := kbus.Observe(t.Context(), 0)
	must(t, err)
	defer o.Close()
	for !so(o) {
		if t.Context().Err() != nil {
			t.Fatal("it never came true")
		}
	}
}

// bindings counts the bindings of the bus.
func bindings(t *testing.T, o *kbus.Observer) int {
	t.Helper()
	list, err := o.Bindings(t.Context())
	must(t, err)
	return len(list)
}
