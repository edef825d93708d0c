package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Failure is what went wrong, as a JSON object. (With which status a program ends is decided in program.go, and for kbus in
// cmd/kbus/exitstatus.go.) A name goes with the number, even where both say nothing.
type Failure struct {
	Error     string `json:"error"`
	Errno     int    `json:"errno"`
	Name      string `json:"errno_name"`
	Condition string `json:"condition,omitempty"`
	Status    string `json:"status,omitempty"`
	Usage     string `json:"usage,omitempty"` // of bad usage
}

// NewFailure is one with that number; 0 where there is none.
func NewFailure(text string, number syscall.Errno) Failure {
	return Failure{Error: text, Errno: int(number), Name: unix.ErrnoName(number)}
}

// Misuse is bad usage of a command.
func Misuse(c *cobra.Command, err error) Failure {
	f := NewFailure(c.CommandPath()+": "+err.Error(), unix.EINVAL)
	f.Usage = c.UseLine()
	return f
}

// WantsJSON looks for --json in arguments that have not all been understood.
func WantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// ReportMisuse writes what is wrong with the usage of a command, and how it is used.
func ReportMisuse(to io.Writer, asJSON bool, c *cobra.Command, err error) {
	if !asJSON {
		fmt.Fprintf(to, "%s: %v\n\n%s", c.CommandPath(), err, c.UsageString())
		return
	}
	_ = WriteJSON(to, Misuse(c, err)) // no other way is left to report it
}

// Text is what went wrong in one line that begins with the name of the program.
func Text(program string, err error) string {
	return program + ": " + strings.ReplaceAll(strings.TrimPrefix(err.Error(), "kbus: "), ": kbus: ", ": ")
}

// ExitStatus is the errno of what went wrong, so that `kbus errno $?` explains it, and never 0. From 126 on a shell uses
// the numbers for other things.
func ExitStatus(number syscall.Errno) int {
	if number > 0 && number < 126 {
		return int(number)
	}
	return 1
}
