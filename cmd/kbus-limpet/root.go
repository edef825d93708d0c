package main

import (
	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
)

// newRoot makes all commands, in the order in which the help shows them.
func newRoot(l *line) *cobra.Command {
	root := &cobra.Command{
		Use:   "kbus-limpet COMMAND",
		Short: "join buses",
		Long: `kbus-limpet joins KBUS buses, on one machine or on several. What is announced on one
is heard on the other, and a Request finds its Replier wherever it is.`,
		Example: `kbus-limpet certs ~/limpets --id 1 --id 2
kbus-limpet pair --listen :7000 --id 1 --certs ~/limpets
kbus-limpet help pair`,
	}
	cli.SetUp(root, &l.Flags, "write JSON lines, the log too", l.VersionLine(), l.Out, l.Err)
	root.AddCommand(pairCommand(l), certsCommand(l), joinCommand(l), serveCommand(l), statusCommand(l), nkeyCommand(l),
		l.VersionCommand(), l.CompletionCommand(), cli.HelpCommand("kbus-limpet help"))
	cli.Finish(root)
	return root
}

// run is main, with the exit status as its result.
func run(args []string) int {
	l := newLine()
	return l.Run(newRoot(l), args)
}
