package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"kbus"
)

// grace is how long a command that has been told to end may go on writing.
const grace = 2 * time.Second

// reply makes the data of the Reply. An error means that there will be none.
func (a *answering) reply(ctx context.Context, stderr io.Writer, m *kbus.Message) ([]byte, error) {
	switch {
	case a.echo:
		return m.Data, nil
	case a.exec != "":
		return a.run(ctx, stderr, m)
	}
	return []byte(a.with), nil
}

// run runs the command in a process group of its own, so that all of it can be ended when we are. It need not read what
// it is given. If it fails, that is told here and not to who asked, who gets what it printed.
func (a *answering) run(ctx context.Context, stderr io.Writer, m *kbus.Message) ([]byte, error) {
	var out bytes.Buffer
	c := exec.CommandContext(ctx, "/bin/sh", "-c", a.exec)
	c.Env = append(os.Environ(), "KBUS_NAME="+m.Name, "KBUS_ID="+plainID(m.ID), fmt.Sprintf("KBUS_FROM=%d", m.From))
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(m.Data), &out, stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = grace
	err := c.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) || errors.Is(err, exec.ErrWaitDelay) {
		fmt.Fprintf(stderr, "kbus: %v: %s: %v\n", m.ID, a.exec, err)
		err = nil
	}
	return out.Bytes(), err
}
