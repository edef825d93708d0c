package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kbus"
)

func sendCommand(l *line) *cobra.Command {
	var f sendFlags
	var wait bool
	c := &cobra.Command{
		Use:   "send NAME [DATA]",
		Short: "send an Announcement",
		Long: `send sends an Announcement and prints its id, how many got it, and how many did not
because their queue was full.

` + dataHelp,
		Example: `kbus send '$.Actor.Speak' 'Hello there'
date | kbus send '$.Actor.Speak' -
kbus send '$.Actor.Speak' @/etc/os-release
kbus send --all-or-fail '$.Actor.Speak' 'Everybody or nobody'
kbus send --wait --timeout 10s '$.Actor.Speak' 'I can wait'`,
		Args:              takes("NAME", "[DATA]"),
		ValidArgsFunction: l.completeName(messageNames),
	}
	f.register(c)
	c.Flags().BoolVar(&wait, "wait", false, "all-or-wait, and wait here until it has been sent")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "with --wait: give up after so long (5s, 2m) and discard the message")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.timeout != 0 && !wait {
			return misused("--timeout is for --wait")
		}
		f.allOrWait = f.allOrWait || wait
		m := kbus.Announcement(args[0], "")
		k, err := l.openFor(m, args[1:], &f)
		if err != nil {
			return err
		}
		defer k.Close()
		return l.send(cmd.Context(), k, m, wait, f.timeout)
	}
	return c
}

// openFor completes a message with the data and the flags from the command line, and opens a Ksock to send it with.
func (l *line) openFor(m *kbus.Message, args []string, f *sendFlags) (*kbus.Ksock, error) {
	flags, err := f.flags()
	if err != nil {
		return nil, err
	}
	m.Flags |= flags
	k, err := l.open()
	if err != nil {
		return nil, err
	}
	most, err := k.AbsMaxMessageSize()
	if err == nil {
		m.Data, err = l.data(args, most)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// send sends, and with wait does not come back before the message has gone out. If that takes too long, the Ksock is
// closed soon, and the message with it.
func (l *line) send(ctx context.Context, k *kbus.Ksock, m *kbus.Message, wait bool, timeout time.Duration) error {
	sent, err := k.Send(ctx, m)
	waits := errors.Is(err, kbus.ErrPending)
	switch {
	case waits && !wait:
		return fmt.Errorf("%w; without --wait it is discarded", err)
	case waits:
		l.remark("%v waits for room", sent.ID)
		ctx, done := withTimeout(ctx, timeout)
		defer done()
		err = gaveUp(k.WaitSent(ctx), timeout)
	}
	if err != nil {
		return err
	}
	return l.printSent(sent, waits)
}

func (l *line) printSent(sent kbus.Sent, waited bool) error {
	if l.json {
		report := struct {
			ID      string  `json:"id"`
			Reached *uint32 `json:"reached,omitempty"` // nobody counts for one who waits
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
