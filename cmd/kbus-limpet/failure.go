package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"kbus"
)

// A command that fails says why in one line on standard error, and its exit status is the errno of what went wrong, so
// `kbus errno $?` explains it. Bad usage is another matter: that is statusUsage, and the usage is shown.

// statusUsage is also ENOENT. Both mean that kbus-limpet was told something that cannot be; the text says which.
const statusUsage = 2

// failure is an error from running a command, as opposed to one of its usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// misused is bad usage that only the command itself can see.
type misused string

func (m misused) Error() string { return string(m) }

// reportFailure says what went wrong, as text or as a JSON line.
func (l *line) reportFailure(err error) {
	text := "kbus-limpet: " + strings.TrimPrefix(err.Error(), "kbus: ")
	if !l.json {
		fmt.Fprintln(l.err, text)
		return
	}
	report := struct {
		Error string `json:"error"`
		Errno int    `json:"errno"`
	}{text, int(errnoOf(err))}
	_ = writeJSON(l.err, report) // there is nobody left to tell
}

// exitStatus is never 0. From 126 on a shell uses the numbers for other things.
func exitStatus(err error) int {
	if n := errnoOf(err); n > 0 && n < 126 {
		return int(n)
	}
	return 1
}

// errnoOf looks for the number in everything that can go wrong, 0 if there is none.
func errnoOf(err error) syscall.Errno {
	var condition kbus.Condition
	var number syscall.Errno
	switch {
	case errors.As(err, &condition):
		return condition.Errno()
	case errors.As(err, &number):
		return number
	}
	return 0
}
