package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
)

// What the root command of each program has: the flags of every command, the help, and what tells bad usage from what goes wrong.

// StatusUsage is the exit status of bad usage. It is also ENOENT; both mean that the program was given something that cannot
// be, and the text says which.
const StatusUsage = 2

// Flags are those of every command.
type Flags struct {
	Bus  BusNumber
	Dir  string // of the sockets; "": where they usually are
	JSON bool
}

// Directory is where the sockets are.
func (f *Flags) Directory() string {
	if f.Dir != "" {
		return f.Dir
	}
	return kbus.RuntimeDir()
}

// SetUp gives a root command what all programs have: the flags of every command, the help, the version.
func SetUp(root *cobra.Command, f *Flags, aboutJSON, version string, out, err io.Writer) {
	cobra.EnableCommandSorting = false
	root.Args = NoSuchCommand
	root.RunE = func(root *cobra.Command, _ []string) error { return root.Help() }
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentFlags().Var(&f.Bus, "bus", "number of the bus")
	root.PersistentFlags().StringVar(&f.Dir, "dir", "",
		"`DIR` with the daemon's sockets, instead of $KBUS_DIR, /run/kbus (for root)\nor $XDG_RUNTIME_DIR/kbus (if there is none, /run/kbus)")
	root.PersistentFlags().BoolVar(&f.JSON, "json", false, aboutJSON)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate(helpTemplate)
	root.Version = version
	root.Flags().Bool("version", false, "print the version")
	root.SetVersionTemplate(version + "\n")
	root.SetFlagErrorFunc(FlagError)
	root.SetOut(out)
	root.SetErr(err)
}

// failed is an error from running a command, as opposed to one of its usage.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// Finish is for a root command that has all its commands: it tells what goes wrong while one runs from what is wrong with
// its usage.
func Finish(root *cobra.Command) {
	completeFlags(root)
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			root.SetHelpCommand(c)
		}
		if run := c.RunE; run != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				err := emptyFile(cmd)
				if err == nil {
					err = run(cmd, args)
				}
				var usage Misused
				if err == nil || errors.As(err, &usage) {
					return err
				}
				return failed{err}
			}
		}
	}
}

// Run runs a command: failure is what went wrong while it ran, misuse what is wrong with the usage of cmd.
func Run(root *cobra.Command, args []string) (cmd *cobra.Command, failure, misuse error) {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(context.Background())
	var ran failed
	if errors.As(err, &ran) {
		return cmd, ran.error, nil
	}
	return cmd, nil, err
}
