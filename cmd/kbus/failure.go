package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"kbus"
	"kbus/cmd/kbus/errno"
)

// A command that fails says why in one line on standard error, and its exit status is the errno of what went wrong, so
// `kbus errno $?` explains it. Bad usage is another matter: that is statusUsage, and the usage is shown.

// statusUsage is also ENOENT. Both mean that kbus was told something that cannot be; the text says which.
const statusUsage = 2

// failure is an error from running a command, as opposed to one of its usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// errStopped is a Ctrl-C before the end, or nobody who reads any more. Whoever did that knows, so nothing is said.
var errStopped = errors.New("stopped")

// statusStopped is what shells give to a process that a Ctrl-C has ended.
const statusStopped = 128 + int(syscall.SIGINT)

// misused is bad usage that only the command itself can see.
type misused string

func (m misused) Error() string { return string(m) }

// reportFailure says what went wrong, as text or as a JSON line.
func (l *line) reportFailure(err error) {
	if errors.Is(err, errStopped) {
		return
	}
	text := "kbus: " + strings.TrimPrefix(err.Error(), "kbus: ")
	if !l.json {
		head, rest, _ := strings.Cut(text, ":")
		fmt.Fprintln(l.err, paletteFor(l.err).paint(red, head+":")+rest)
		return
	}
	report := struct {
		Error     string `json:"error"`
		Errno     int    `json:"errno"`
		Name      string `json:"errno_name,omitempty"`
		Condition string `json:"condition,omitempty"`
		Status    string `json:"status,omitempty"`
	}{Error: text, Errno: int(errnoOf(err))}
	if e, known := errno.ByNumber(report.Errno); known {
		report.Name = e.Name
	}
	var condition kbus.Condition
	if errors.As(err, &condition) {
		report.Condition = condition.Name()
	}
	var status *kbus.StatusError
	if errors.As(err, &status) {
		report.Status = status.Status.Name
	}
	_ = writeJSON(l.err, report) // there is nobody left to tell
}
