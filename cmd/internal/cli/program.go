package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/version"
)

// Program is what the smaller programs have in common: kbus-limpet and kbus-web. kbus itself has more to say, and in
// colours.
//
// A command that fails says why in one line on standard error, and its exit status is the errno of what went wrong, so
// `kbus errno $?` explains it. Bad usage is another matter: that is StatusUsage, and the usage is shown.
type Program struct {
	Flags
	Name     string
	Out, Err *os.File
}

// NewProgram is one that writes to standard output and standard error.
func NewProgram(name string) Program { return Program{Name: name, Out: os.Stdout, Err: os.Stderr} }

// Run runs the command of root that the arguments name, with the exit status as its result.
func (p *Program) Run(root *cobra.Command, args []string) int {
	cmd, failure, misuse := Run(root, args)
	switch {
	case failure != nil:
		return p.Fail(failure)
	case misuse == nil:
		return 0
	}
	ReportMisuse(p.Err, p.JSON || WantsJSON(args), cmd, misuse)
	return StatusUsage
}

// Fail says what went wrong, as text or as a JSON line, and gives the exit status for it.
func (p *Program) Fail(err error) int {
	text, number := Text(p.Name, err), errnoOf(err)
	if !p.JSON {
		fmt.Fprintln(p.Err, text)
		return ExitStatus(number)
	}
	report := NewFailure(text, number)
	var condition kbus.Condition
	if errors.As(err, &condition) {
		report.Condition = condition.Name()
	}
	_ = WriteJSON(p.Err, report) // no other way is left to report it
	return ExitStatus(number)
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

// PrintJSON writes one JSON line.
func (p *Program) PrintJSON(v any) error { return WriteJSON(p.Out, v) }

// VersionLine is also what --version says.
func (p *Program) VersionLine() string {
	return fmt.Sprintf("%s %s (%s)", p.Name, version.Built, runtime.Version())
}

// VersionCommand is the command version.
func (p *Program) VersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: p.Name + " version",
		Args:    Takes(),
		RunE: func(*cobra.Command, []string) error {
			if p.JSON {
				return p.PrintJSON(struct {
					Version string `json:"version"`
					Go      string `json:"go"`
				}{version.Built, runtime.Version()})
			}
			_, err := fmt.Fprintln(p.Out, p.VersionLine())
			return err
		},
	}
}

// CompletionCommand is the command completion: the script with which a shell completes commands and flags.
func (p *Program) CompletionCommand() *cobra.Command {
	return CompletionCommand(&p.Flags, "print what makes a shell complete "+p.Name+" commands",
		"completion prints a script for bash, zsh, fish or powershell.", "source <("+p.Name+" completion bash)")
}
