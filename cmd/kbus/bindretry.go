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

// A service that starts at boot, beside the Limpet of its bus, may be there first. Then it is not known yet whether its
// name is free, and the Bind is refused; but only for now.

// notYet are the refusals that time mends. For a standby ErrReplierBound is one, too: the Replier is on another bus.
var notYet = []error{kbus.ErrUndecided, kbus.ErrNoFederation, kbus.ErrEventUndelivered}

// bindFlags are how a service becomes the Replier.
type bindFlags struct {
	standby bool
	within  time.Duration // how long to try; 0 is for ever
}

func (f *bindFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.standby, "standby", false, "stand by while the name has another Replier")
	cli.SpanVar(c.Flags(), &f.within, "bind-for", 2*time.Minute, "how long to try to bind; 0 is for ever")
}

// bind binds as Replier or as Standby, and tries again for as long as the flags say what is refused only for now.
func (l *line) bind(ctx context.Context, k *kbus.Ksock, name string, f *bindFlags) error {
	as, timeout := kbus.Replier, f.within
	if f.standby {
		as = kbus.Standby
	}
	within, done := withTimeout(ctx, timeout)
	defer done()
	var refused error
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		err := k.Bind(within, name, as)
		switch {
		case err == nil:
			if refused != nil {
				l.note(fmt.Sprintf("bound to %s", name))
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case within.Err() != nil && refused != nil:
			return fmt.Errorf("gave up after %v: %w", timeout, refused)
		case !isNotYet(err) && !(as == kbus.Standby && errors.Is(err, kbus.ErrReplierBound)):
			return gaveUp(err, timeout)
		case refused == nil:
			l.note(fmt.Sprintf("%v; trying again%s", err, forSoLong(timeout)))
		}
		refused = err
		select {
		case <-time.After(pause):
		case <-within.Done():
		}
	}
}

func isNotYet(err error) bool {
	for _, refusal := range notYet {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

func forSoLong(timeout time.Duration) string {
	if timeout == 0 {
		return ""
	}
	return fmt.Sprintf(" for %v", timeout)
}
