package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"kbus.example/kbus"
)

// --decode: data is shown as a command of the user's prints it. It is the command of somebody else, so it may fail, and it may
// hang. Then the message is shown as it would be without it, standard error says so, and what looks goes on. While a command
// hangs nothing is shown, and a monitor may miss events; so one that hangs again and again is given up.

type decoder struct {
	command string
	hung    int // times in a row
}

const (
	decodingTime = 2 * time.Second // that it has for one message
	mostHung     = 3
)

// text is what the command prints for the data of an event; "" if there is none, or no good.
func (d *decoder) text(ctx context.Context, l *line, e *kbus.Event) string {
	if d.command == "" || d.hung == mostHung || len(e.Data) == 0 {
		return ""
	}
	within, done := context.WithTimeout(ctx, decodingTime)
	defer done()
	var out bytes.Buffer
	c := exec.CommandContext(within, "/bin/sh", "-c", d.command)
	c.Env = append(c.Environ(), "KBUS_NAME="+e.Message.Name, "KBUS_ID="+plainID(e.ID))
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(e.Data), &out, l.err
	err := inGroup(c, syscall.SIGKILL).Run()
	if ctx.Err() != nil { // nobody wants to see it any more
		return ""
	}
	switch {
	case within.Err() == nil, err == nil:
		d.hung = 0
	case d.hung == mostHung-1:
		d.hung++
		err = fmt.Errorf("%w for the %drd time in a row: what comes is shown without it", errHangs, mostHung)
	default:
		d.hung++
		err = fmt.Errorf("%w, and was ended", errHangs)
	}
	if err != nil {
		l.reportFailure(fmt.Errorf("--decode of %v: %w", e.ID, err))
		return ""
	}
	return strings.TrimRight(out.String(), "\n")
}

var errHangs = errors.New("the command has taken longer than " + decodingTime.String())
