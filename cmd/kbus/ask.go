package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// kbus ask: a Request from the shell. Its exit status tells scripts whether there was a Replier, a Reply or a Status.

func askCommand(l *line) *cobra.Command {
	var f sendFlags
	var wait bool
	print := formatData
	c := &cobra.Command{
		Use:   "ask NAME [DATA]",
		Short: "send a Request, and print the Reply",
		Long: `ask sends a Request, waits for the Reply and prints its data.

If nobody is bound as Replier for the name, that is status 99; with --wait it waits
until somebody is. If a Status comes instead of a Reply, because the Replier went
away, that is status 104.

` + dataHelp + `

With --lines each line of standard input is the data of a Request of its own, sent
when the one before has been answered. The first without a Reply ends it.`,
		Example: `kbus ask '$.Time'
kbus ask --timeout 5s '$.Echo' 'Is anybody there?'
kbus ask --format message '$.Echo' 'What does a Reply look like?'
kbus ask --wait --timeout 1m '$.Echo' 'I can wait'
printf '%s' a b c | kbus ask '$.Count' -
echo a | kbus ask --lines '$.Upper'`,
		Args:              cli.Takes("NAME", "[DATA]"),
		ValidArgsFunction: l.completeName(replierNames),
	}
	f.register(c)
	c.SetFlagErrorFunc(explainDash)
	cli.SpanVar(c.Flags(), &f.timeout, "timeout", 0, "give up after so long (5s, 2m); 0 is never")
	c.Flags().BoolVar(&wait, "wait", false, "if there is no Replier, wait until there is one")
	registerFormat(c, &print)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return l.withMessages(cmd.Context(), kbus.Request(args[0], ""), args[1:], &f,
			func(ctx context.Context, k *kbus.Ksock, m *kbus.Message) error {
				reply, err := l.call(ctx, k, m, wait)
				if err != nil {
					return asAsked(err)
				}
				return l.printMessage(reply, print)
			})
	}
	return c
}

// call sends a Request. With wait it tries again until there is a Replier. A Request that found no Replier has not been
// sent, so nothing is asked twice.
func (l *line) call(ctx context.Context, k *kbus.Ksock, m *kbus.Message, wait bool) (*kbus.Message, error) {
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		reply, err := k.Call(ctx, m)
		if !wait || !errors.Is(err, kbus.ErrNoReplier) {
			return reply, err
		}
		if pause == shortestPause {
			l.remark("nobody is bound as Replier for %s yet", m.Name)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody has become Replier for %s: %w", m.Name, ctx.Err())
		}
	}
}

// How long something that did not work is left alone before it is tried again: longer each time.
const (
	shortestPause = 20 * time.Millisecond
	longestPause  = 500 * time.Millisecond
)

// asAsked calls the operation what the command is called.
func asAsked(err error) error {
	var e *kbus.Error
	if errors.As(err, &e) {
		e.Op = "ask"
	}
	return err
}
