package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// kbus send: an Announcement from the shell. It prints how many it reached and how many were skipped.

func sendCommand(l *line) *cobra.Command {
	var f sendFlags
	var wait bool
	c := &cobra.Command{
		Use:   "send NAME [DATA]",
		Short: "send an Announcement",
		Long: `send sends an Announcement and prints its id, how many got it, and how many did not
because their queue was full.

` + dataHelp + `

With --lines each line of standard input is the data of a message of its own. The
first that cannot be sent ends it; those before have been sent.`,
		Example: `kbus send '$.Actor.Speak' 'Hello there'
date | kbus send '$.Actor.Speak' -
kbus send '$.Actor.Speak' @/etc/os-release
kbus send '$.Outside.Temperature' -5
ls / | kbus send --lines '$.Actor.Speak'
kbus send --all-or-fail '$.Actor.Speak' 'Everybody or nobody'
kbus send --wait --timeout 10s '$.Actor.Speak' 'I can wait'
kbus send --traceparent "$T" '$.Actor.Speak' 'Part of a trace'`,
		Args:              cli.Takes("NAME", "[DATA]"),
		ValidArgsFunction: l.completeName(messageNames),
	}
	f.register(c)
	c.SetFlagErrorFunc(explainDash)
	c.Flags().BoolVar(&wait, "wait", false, "all-or-wait, and wait here until it has been sent")
	cli.SpanVar(c.Flags(), &f.timeout, "timeout", 0, "with --wait: give up after so long (5s, 2m) and discard the message")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.timeout != 0 && !wait {
			return cli.Misused("--timeout is for --wait")
		}
		f.allOrWait = f.allOrWait || wait
		return l.withMessages(cmd.Context(), kbus.Announcement(args[0], ""), args[1:], &f,
			func(ctx context.Context, k *kbus.Ksock, m *kbus.Message) error { return l.send(ctx, k, m, wait) })
	}
	return c
}

// withMessages completes a message with the data and the flags of the command line and has it used; with --lines once
// for each line. All of it is to take no longer than the timeout says, or each line.
func (l *line) withMessages(ctx context.Context, m *kbus.Message, args []string, f *sendFlags,
	use func(context.Context, *kbus.Ksock, *kbus.Message) error) (err error) {
	flags, err := f.flags(args)
	if err != nil {
		return err
	}
	if m.Trace, err = f.trace(); err != nil {
		return err
	}
	m.Flags |= flags
	within, done := withTimeout(ctx, f.timeout)
	defer done()
	k, err := l.open(within)
	if err != nil {
		return gaveUp(err, f.timeout)
	}
	defer leave(k, &err)
	limited, known := soon(within)
	most, err := k.Settings().AbsMaxMessageBytes(limited)
	known()
	switch {
	case err != nil:
	case f.lines:
		return l.eachLine(most, func(data []byte) error {
			within, done := withTimeout(ctx, f.timeout)
			defer done()
			m.Data = data
			return gaveUp(use(within, k, m), f.timeout)
		})
	default:
		if m.Data, err = l.data(args, most); err != nil {
			return err
		}
		if len(args) > 0 && args[0] == "-" { // the time begins when the data is there
			within, done = withTimeout(ctx, f.timeout)
			defer done()
		}
		err = use(within, k, m)
	}
	return gaveUp(err, f.timeout)
}

// send sends, and with wait does not come back before the message has gone out. If that takes too long, the Ksock is
// closed soon, and the message with it.
func (l *line) send(ctx context.Context, k *kbus.Ksock, m *kbus.Message, wait bool) error {
	sent, err := k.Send(ctx, m)
	switch {
	case sent.Pending && !wait:
		return fmt.Errorf("%w; without --wait it is discarded", &kbus.Error{Op: "send", Name: m.Name, ID: sent.ID, Err: kbus.ErrPending})
	case sent.Pending:
		l.remark("%v waits for room", sent.ID)
		err = k.WaitSent(ctx)
	}
	if err != nil {
		return err
	}
	return l.printSent(sent, sent.Pending)
}

func (l *line) printSent(sent kbus.Sent, waited bool) error {
	if l.JSON {
		report := struct {
			ID      string  `json:"id"`
			Reached *uint32 `json:"reached,omitempty"` // not known of a message that waited
			Skipped *uint32 `json:"skipped,omitempty"`
			Waited  bool    `json:"waited,omitempty"`
		}{ID: plainID(sent.ID), Waited: waited}
		if !waited {
			report.Reached, report.Skipped = &sent.Reached, &sent.Skipped
		}
		return l.printJSON(report)
	}
	_, err := fmt.Fprintln(l.out, sentText(sent, waited))
	return err
}

func sentText(sent kbus.Sent, waited bool) string {
	text := sent.ID.String()
	switch {
	case waited:
		return text + " reached everybody, after waiting"
	case sent.Reached == 0:
		text += " reached nobody"
	default:
		text += fmt.Sprintf(" reached %d", sent.Reached)
	}
	if sent.Skipped > 0 {
		text += fmt.Sprintf(", skipped %d with a full queue", sent.Skipped)
	}
	return text
}
