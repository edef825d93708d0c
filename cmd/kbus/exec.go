package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"kbus.example/kbus"
)

// Commands of the user's own, which a flag names: each in a process group of its own, so that all of it can be ended with us.

// grace is how long a command may go on writing after SIGTERM.
const grace = 2 * time.Second

// inGroup has a command be ended by a signal, with all that it has started.
func inGroup(c *exec.Cmd, end syscall.Signal) *exec.Cmd {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, end) }
	c.WaitDelay = grace
	return c
}

// reply makes the data of the Reply. An error means that there will be none.
func (l *line) reply(ctx context.Context, a *answering, m *kbus.Message) ([]byte, error) {
	switch {
	case a.echo:
		return m.Data, nil
	case a.exec != "":
		return l.run(ctx, a.exec, m)
	}
	return []byte(a.with), nil
}

// run runs the command of --exec. It need not read its input. If it fails, the error goes to standard error here, and the Reply has what the command printed.
func (l *line) run(ctx context.Context, command string, m *kbus.Message) ([]byte, error) {
	var out bytes.Buffer
	c := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.Env = append(environTraced(m), "KBUS_NAME="+m.Name, "KBUS_ID="+plainID(m.ID), fmt.Sprintf("KBUS_FROM=%d", m.From))
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(m.Data), &out, l.err
	err := inGroup(c, syscall.SIGTERM).Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) || errors.Is(err, exec.ErrWaitDelay) {
		l.reportFailure(fmt.Errorf("%v: %s: %w", m.ID, command, err))
		err = nil
	}
	return out.Bytes(), err
}
