package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/cmd/kbus/play"
)

// kbus play: the command around package play, which performs the introduction with real processes.

func playCommand(l *line) *cobra.Command {
	o := play.Options{}
	var transcript bool
	c := &cobra.Command{
		Use:   "play",
		Short: "see how it all works: a play with four actors",
		Long: `play performs the introduction to KBUS, a play in which four processes talk on a bus
of their own. It starts a daemon in a temporary directory for that, and leaves
nothing behind; a bus that runs already is not touched.

With --bowls it is another piece: two goldfish in two bowls, which are two buses,
talk through a pair of Limpets.

On a terminal each scene waits for Enter, elsewhere there is a short pause.`,
		Example: `kbus play
kbus play --fast
kbus play --bowls
kbus play --transcript | grep Request
kbus play --json`,
		Args: cli.Takes(),
	}
	c.Flags().BoolVar(&o.Fast, "fast", false, "no pauses")
	c.Flags().BoolVar(&o.Bowls, "bowls", false, "the piece about two buses")
	c.Flags().BoolVar(&transcript, "transcript", false, "print only what the actors print")
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		switch {
		case l.JSON:
			o.Form = play.JSON
		case transcript:
			o.Form = play.Transcript
		}
		if o.Program, err = os.Executable(); err != nil {
			return err
		}
		o.In, o.OnTerminal = l.in, isTerminal(l.in) && isTerminal(l.out)
		o.Out, o.Colour, o.Columns = l.out, bool(l.colours), columnsOf(l.out)
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		// When nobody reads any more, as in `kbus play | head`, there is still the stage to strike.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		err = play.Perform(ctx, o)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) || errors.Is(err, syscall.EPIPE) {
			return errStopped
		}
		return err
	}
	return c
}

// actorCommand is one of the actors. play starts it; it is of no use to anybody else.
func actorCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:    "actor NAME",
		Short:  "be an actor in the play",
		Args:   cli.Takes("NAME"),
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return play.Act(cmd.Context(), uint32(l.Bus), l.Directory(), l.in, l.out)
		},
	}
}
