// Command kbus-web shows KBUS to whatever speaks HTTP: a page to browsers, figures to Prometheus and the like. It looks at the
// buses through a tap, so it may be stopped or killed at any time and no bus notices. It is a program of its own because only
// this one needs a server for HTTP; `kbus web` and `kbus metrics` run it.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
)

// line is what holds for every command.
type line struct{ cli.Program }

func newLine() *line { return &line{cli.NewProgram("kbus-web")} }

func newRoot(l *line) *cobra.Command {
	root := &cobra.Command{
		Use:   "kbus-web COMMAND",
		Short: "show KBUS to browsers, and to programs that speak HTTP",
		Long: `kbus-web shows the buses of this machine as a page in a browser, and gives their
figures to Prometheus and whatever else reads OpenMetrics. For that it only looks: no
queue fills because of it. With doors that you make it lets pages be clients of a bus.`,
		Example: `kbus-web web
kbus-web socket --allow doors.toml
kbus-web metrics
kbus-web metrics --listen 127.0.0.1:9464 --name '$.Door.*'`,
	}
	cli.SetUp(root, &l.Flags, "write JSON lines: what is wrong, and what else is said", l.VersionLine(), l.Out, l.Err)
	root.AddCommand(webCommand(l), metricsCommand(l), socketCommand(l), l.VersionCommand(), l.CompletionCommand(), cli.HelpCommand("kbus-web help web"))
	cli.Finish(root)
	return root
}

func main() {
	l := newLine()
	os.Exit(l.Run(newRoot(l), os.Args[1:]))
}
