package main

import (
	"errors"

	"github.com/spf13/cobra"

	"kbus"
)

func askCommand(l *line) *cobra.Command {
	var f sendFlags
	print := formatData
	c := &cobra.Command{
		Use:   "ask NAME [DATA]",
		Short: "send a Request, and print the Reply",
		Long: `ask sends a Request, waits for the Reply and prints its data.

If nobody is bound as Replier for the name, that is status 99. If a Status comes
instead of a Reply, because the Replier went away, that is status 104.

` + dataHelp,
		Example: `kbus ask '$.Time'
kbus ask --timeout 5s '$.Echo' 'Is anybody there?'
kbus ask --format message '$.Echo' 'What does a Reply look like?'
printf '%s' a b c | kbus ask '$.Count' -`,
		Args:              takes("NAME", "[DATA]"),
		ValidArgsFunction: l.completeName(replierNames),
	}
	f.register(c)
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "give up after so long (5s, 2m); 0 is never")
	registerFormat(c, &print)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		m := kbus.Request(args[0], "")
		k, err := l.openFor(m, args[1:], &f)
		if err != nil {
			return err
		}
		defer k.Close()
		ctx, done := withTimeout(cmd.Context(), f.timeout)
		defer done()
		reply, err := k.Call(ctx, m)
		if err != nil {
			return gaveUp(asAsked(err), f.timeout)
		}
		return l.printMessage(reply, print)
	}
	return c
}

// asAsked calls the operation what the command is called.
func asAsked(err error) error {
	var e *kbus.Error
	if errors.As(err, &e) {
		e.Op = "ask"
	}
	return err
}
