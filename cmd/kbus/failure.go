package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// A command that fails says why in one line on standard error, and its exit status is the errno of what went wrong, so
// `kbus errno $?` explains it. Bad usage is another matter: that is cli.StatusUsage, and the usage is shown.

// errStopped is a Ctrl-C before the end, or a pipe without a reader. The person who did that knows, so nothing is
// printed.
var errStopped = errors.New("stopped")

// statusStopped is what shells give to a process that a Ctrl-C has ended.
const statusStopped = 128 + int(syscall.SIGINT)

// reportFailure says what went wrong, as text or as a JSON line.
func (l *line) reportFailure(err error) {
	if errors.Is(err, errStopped) {
		return
	}
	text := cli.Text("kbus", err)
	if !l.JSON {
		head, rest, _ := strings.Cut(text, ":")
		fmt.Fprintln(l.err, paletteFor(l.err).paint(red, head+":")+rest)
		return
	}
	report := cli.NewFailure(text, errnoOf(err))
	var condition kbus.Condition
	if errors.As(err, &condition) {
		report.Condition = condition.Name()
	}
	var status *kbus.StatusError
	if errors.As(err, &status) {
		report.Status = status.Status.Name
	}
	_ = cli.WriteJSON(l.err, report) // no other way is left to report it
}
