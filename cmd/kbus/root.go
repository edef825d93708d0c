package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
)

// newRoot makes all commands, in the order and the groups in which the help shows them.
func newRoot(l *line) *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:   "kbus COMMAND",
		Short: "talk on a KBUS bus, look at it, learn about it",
		Long: `kbus talks on a KBUS bus, looks at it, and explains it.

An Announcement goes to whoever listens for its name. A Request goes to the one
Replier of its name as well, and is answered: by a Reply, or by a Status that
says why there is none. Names are words with dots: '$.Lamp.Kitchen.Set'. Whoever
listens or answers may end a name in '%', for any word, or '*', for any words.`,
		Example: `kbusd &                                 # a daemon, unless one runs already
kbus listen '$.Actor.*'                 # in a second terminal; Ctrl-C ends it
kbus send '$.Actor.Speak' 'Hello there'
kbus answer '$.Time' --exec date        # in a third terminal
kbus ask '$.Time'
kbus play                               # see how it all works`,
		Args:          noSuchCommand,
		RunE:          func(root *cobra.Command, _ []string) error { return root.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().Var(&l.bus, "bus", "number of the bus")
	root.PersistentFlags().StringVar(&l.dir, "dir", "",
		"`DIR` with the daemon's sockets, instead of $KBUS_DIR, /run/kbus (for root)\nor $XDG_RUNTIME_DIR/kbus (if there is none, /run/kbus)")
	root.PersistentFlags().BoolVar(&l.json, "json", false, "write JSON lines")
	_ = root.RegisterFlagCompletionFunc("bus", l.completeBus) // fails only for a flag that does not exist
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpTemplate(helpTemplate)
	root.SetOut(l.out)
	root.SetErr(l.err)

	for _, group := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"talk", "Talk:", []*cobra.Command{sendCommand(l), askCommand(l), listenCommand(l), answerCommand(l), limpetCommand(l)}},
		{"look", "Look:", []*cobra.Command{whoCommand(l), listCommand(l), bindingsCommand(l), statsCommand(l), benchCommand(l)}},
		{"learn", "Learn:", []*cobra.Command{
			playCommand(l), errnoCommand(l), versionCommand(l), completionCommand(l), helpCommand(),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			root.SetHelpCommand(c)
		}
	}
	root.AddCommand(actorCommand(l))
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
	root.SetArgs(singleDashList(args))
	cmd, err := root.ExecuteContextC(context.Background())
	var ran failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ran):
		l.reportFailure(ran.error)
		return exitStatus(ran.error)
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n\n%s", cmd.CommandPath(), err, cmd.UsageString())
	return statusUsage
}

// singleDashList lets `kbus errno -list` be as it always was (R10.70), where all other long flags have two dashes.
func singleDashList(args []string) []string {
	if i := slices.Index(args, "errno"); i >= 0 {
		args = slices.Clone(args)
		for j, a := range args {
			if j > i && a == "-list" {
				args[j] = "--list"
			}
		}
	}
	return args
}
