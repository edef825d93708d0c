package main

import (
	"slices"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
)

// The tree of commands, as the help shows it.

// newRoot makes all commands, in the order and the groups in which the help shows them.
func newRoot(l *line) *cobra.Command {
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
	}
	cli.SetUp(root, &l.Flags, "write JSON lines", versionLine(), l.out, l.err)
	_ = root.RegisterFlagCompletionFunc("bus", l.completeBus) // fails only for a flag that does not exist

	for _, group := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"talk", "Talk:", []*cobra.Command{sendCommand(l), askCommand(l), listenCommand(l), answerCommand(l), limpetCommand(l)}},
		{"serve", "Services:", []*cobra.Command{waitCommand(l), keepCommand(l), watchCommand(l), servicesCommand(l)}},
		{"look", "Look:", []*cobra.Command{
			whoCommand(l), describeCommand(l), listCommand(l), monitorCommand(l), topCommand(l), webCommand(l), metricsCommand(l), bindingsCommand(l), statsCommand(l), benchCommand(l),
		}},
		{"rules", "Access rules:", []*cobra.Command{explainCommand(l), rulesCommand(l)}},
		{"record", "Record:", []*cobra.Command{recordCommand(l), showCommand(l), convertCommand(l), replayCommand(l)}},
		{"learn", "Learn:", []*cobra.Command{
			playCommand(l), errnoCommand(l), versionCommand(l), completionCommand(l), cli.HelpCommand("kbus help\nkbus help send"),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	root.AddCommand(actorCommand(l))
	cli.Finish(root)
	return root
}

// run is main, with the exit status as its result.
func run(args []string) int {
	l := newLine()
	root := newRoot(l)
	cmd, failure, misuse := cli.Run(root, dataIsData(root, singleDashList(args)))
	switch {
	case failure != nil:
		l.reportFailure(failure)
		return exitStatus(failure)
	case misuse == nil:
		return 0
	}
	cli.ReportMisuse(l.err, l.JSON || cli.WantsJSON(args), cmd, misuse)
	return cli.StatusUsage
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
