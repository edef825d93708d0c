package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
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

// reply makes the Reply, or the Status in its place. An error means that there will be none.
func (l *line) reply(ctx context.Context, a *answering, m *kbus.Message) (*kbus.Message, error) {
	switch {
	case a.echo:
		return m.Reply(m.Data)
	case a.exec != "":
		return l.run(ctx, a, m)
	}
	return m.Reply([]byte(a.with))
}

// run runs the command of --exec. It need not read its input. If it fails, the error goes to standard error here, and the Reply has
// what the command printed; with --fail it is a Status, which has the last line that the command wrote to standard error.
func (l *line) run(ctx context.Context, a *answering, m *kbus.Message) (*kbus.Message, error) {
	var out bytes.Buffer
	var why lastLine
	command := a.exec
	c := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.Env = append(environTraced(m), "KBUS_NAME="+m.Name, "KBUS_ID="+plainID(m.ID), fmt.Sprintf("KBUS_FROM=%d", m.From))
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(m.Data), &out, l.err
	if a.fail {
		c.Stderr = io.MultiWriter(l.err, &why)
	}
	err := inGroup(c, syscall.SIGTERM).Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) || errors.Is(err, exec.ErrWaitDelay) {
		l.reportFailure(fmt.Errorf("%v: %s: %w", m.ID, command, err))
		if a.fail && failed != nil {
			return m.Fail(cmp.Or(why.String(), failed.Error()))
		}
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return m.Reply(out.Bytes())
}

// lastLine keeps the last line that is written to it, if it has more than spaces; of a long one the last part.
type lastLine struct{ text []byte }

const mostLastLine = 1000

func (w *lastLine) Write(text []byte) (int, error) {
	w.text = append(w.text, text...)
	line := bytes.TrimRight(w.text, " \t\r\n")
	from := bytes.LastIndexByte(line, '\n') + 1
	w.text = w.text[max(from, len(w.text)-2*mostLastLine):]
	return len(text), nil
}

func (w *lastLine) String() string {
	line := bytes.TrimSpace(w.text)
	return strings.ToValidUTF8(string(line[max(0, len(line)-mostLastLine):]), "?")
}
