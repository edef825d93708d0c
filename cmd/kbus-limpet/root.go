package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// newRoot makes all commands, in the order in which the help shows them.
func newRoot(l *line) *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:   "kbus-limpet COMMAND",
		Short: "join buses",
		Long: `kbus-limpet joins KBUS buses, on one machine or on several. What is announced on one
is heard on the other, and a Request finds its Replier wherever it is.`,
		Example: `kbus-limpet certs ~/limpets --id 1 --id 2
kbus-limpet pair --listen :7000 --id 1 --certs ~/limpets
kbus-limpet help pair`,
		Args:          noSuchCommand,
		RunE:          func(root *cobra.Command, _ []string) error { return root.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().Var(&l.bus, "bus", "number of the bus")
	root.PersistentFlags().StringVar(&l.dir, "dir", "",
		"`DIR` with the daemon's sockets, instead of $KBUS_DIR, /run/kbus (for root)\nor $XDG_RUNTIME_DIR/kbus (if there is none, /run/kbus)")
	root.PersistentFlags().BoolVar(&l.json, "json", false, "write JSON lines, the log too")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate(helpTemplate)
	root.SetOut(l.out)
	root.SetErr(l.err)
	root.AddCommand(pairCommand(l), certsCommand(l), joinCommand(l), serveCommand(l), statusCommand(l), nkeyCommand(l),
		versionCommand(l), completionCommand(l), helpCommand())
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			root.SetHelpCommand(c)
		}
	}
	markFailures(root)
	return root
}

// markFailures tells what goes wrong while a command runs from what is wrong with its usage.
func markFailures(root *cobra.Command) {
	for _, c := range root.Commands() {
		if run := c.RunE; run != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				err := run(cmd, args)
				var usage misused
				if err == nil || errors.As(err, &usage) {
					return err
				}
				return failure{err}
			}
		}
	}
}

// run is main, with the exit status as its result.
func run(args []string) int {
	l := newLine()
	root := newRoot(l)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(context.Background())
	var ran failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ran):
		l.reportFailure(ran.error)
		return exitStatus(ran.error)
	}
	fmt.Fprintf(l.err, "%s: %v\n\n%s", cmd.CommandPath(), err, cmd.UsageString())
	return statusUsage
}
