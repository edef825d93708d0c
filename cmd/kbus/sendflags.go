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

// sendFlags are how a message is to be sent.
type sendFlags struct {
	urgent, allOrWait, allOrFail, lines bool
	timeout                             time.Duration
	traceFlags
}

func (f *sendFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.urgent, "urgent", false, "to the front of every queue")
	c.Flags().BoolVar(&f.allOrWait, "all-or-wait", false, "all who should get it do, or it waits until all have room")
	c.Flags().BoolVar(&f.allOrFail, "all-or-fail", false, "all who should get it do, or nobody does")
	c.Flags().BoolVar(&f.lines, "lines", false, "a message for each line of standard input")
	f.traceFlags.register(c)
}

// flags refuses what the bus would refuse, in words of the command line.
func (f *sendFlags) flags(data []string) (flags kbus.Flags, err error) {
	if f.allOrWait && f.allOrFail {
		return 0, cli.Misused("--all-or-wait and --all-or-fail exclude each other")
	}
	if f.lines && len(data) > 0 {
		return 0, cli.Misused("--lines takes the data from standard input; there is no DATA with it")
	}
	for _, flag := range []struct {
		set bool
		bit kbus.Flags
	}{{f.urgent, kbus.Urgent}, {f.allOrWait, kbus.AllOrWait}, {f.allOrFail, kbus.AllOrFail}} {
		if flag.set {
			flags |= flag.bit
		}
	}
	return flags, nil
}

// withTimeout is for an operation that waits; 0 is for ever.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}

// gaveUp says in words of the command line that the timeout has passed, if that is what went wrong.
func gaveUp(err error, timeout time.Duration) error {
	if timeout > 0 && errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errNoAnswer) {
		return fmt.Errorf("gave up after %v: %w", timeout, err)
	}
	return err
}
