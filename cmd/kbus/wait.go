package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/message"
)

// kbus wait: a script goes on when a service is there. It asks to be told of Repliers before it looks whether there is one,
// so none can come unnoticed between the two.

func waitCommand(l *line) *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait NAME...",
		Short: "wait until names have a Replier",
		Long: `wait ends, with status 0, when each of the names has a Replier: when a Request of
that name would find one, be it bound to the name, to a wildcard, or on another bus of
a federation. With several names all must have theirs at the end, in whatever order
they came.

If --timeout passes first, that is status 110, and the error tells which names have
none. wait asks nobody anything: a Replier that is there may still be slow.`,
		Example: `kbus wait '$.Time'
kbus wait --timeout 5s '$.Lamp.Set' '$.Door.Open'
kbus wait --timeout 1m '$.Time' && kbus ask '$.Time'`,
		Args:              cli.Takes("NAME..."),
		ValidArgsFunction: l.completeNames(replierNames),
	}
	cli.SpanVar(c.Flags(), &timeout, "timeout", 0, "give up after so long (5s, 2m); 0 is never")
	c.RunE = func(cmd *cobra.Command, names []string) error {
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		within, done := withTimeout(ctx, timeout)
		defer done()
		k, err := l.open(within, kbus.ReadOnly())
		if err != nil {
			return gaveUp(err, timeout)
		}
		defer k.Close()
		w := &awaited{ksock: k, names: names, repliers: make([]kbus.Party, len(names))}
		err = w.all(within)
		if ctx.Err() != nil {
			return errStopped
		}
		if err != nil {
			return gaveUp(err, timeout)
		}
		return w.show(l)
	}
	return c
}

// show tells a program, or a person who watches, who has come.
func (w *awaited) show(l *line) error {
	for i, name := range w.names {
		p := w.repliers[i]
		if !l.JSON {
			l.remark("%s: Ksock %d, process %d (%s)", name, p.Ksock, p.PID, p.Program)
			continue
		}
		err := l.printJSON(struct {
			Name    string    `json:"name"`
			Replier jsonParty `json:"replier"`
		}{name, partyJSON(p)})
		if err != nil {
			return err
		}
	}
	return nil
}

// awaited are names that shall have Repliers.
type awaited struct {
	ksock    *kbus.Ksock
	names    []string
	repliers []kbus.Party // of each name; its Ksock is 0 when there is none
}

// all returns when each name has a Replier.
func (w *awaited) all(ctx context.Context) error {
	err := reportRepliers(ctx, w.ksock)
	if err != nil && !errors.Is(err, kbus.ErrReportFull) && !errors.Is(err, kbus.ErrDenied) { // relook does without
		return err
	}
	for {
		missing, err := w.look(ctx)
		if err == nil && len(missing) == 0 {
			return nil
		}
		if err == nil {
			err = w.change(ctx)
		}
		if errors.Is(err, context.DeadlineExceeded) && len(missing) > 0 {
			return fmt.Errorf("nobody is Replier for %s: %w", strings.Join(missing, " "), err)
		}
		if err != nil {
			return err
		}
	}
}

// look asks for each name who would get a Request now, and gives the names for which nobody would.
func (w *awaited) look(ctx context.Context) (missing []string, err error) {
	for i, name := range w.names {
		if w.repliers[i], _, err = w.ksock.Observer().Who(ctx, name); err != nil {
			return missing, err
		}
		if w.repliers[i].Ksock == 0 {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// relook is after how long one looks again without having been told of anything: an administrator of the bus can turn the
// events off, for all, and rules can keep them from us.
const relook = 2 * time.Second

// change waits until a Replier has been bound that matters, or for relook.
func (w *awaited) change(ctx context.Context) error {
	patience, done := context.WithTimeout(ctx, relook)
	defer done()
	for {
		m, err := w.ksock.Receive(patience)
		switch {
		case err != nil && ctx.Err() == nil && patience.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if e, ok := kbus.ParseBindEvent(m.Data); ok && e.Bind && w.concerns(e.Name) {
			return nil
		}
	}
}

func (w *awaited) concerns(bound string) bool {
	for _, name := range w.names {
		if message.Covers(bound, name) {
			return true
		}
	}
	return false
}

// mostRoom is how much more room than for all Repliers the queue gets before it must be something else that is full: the
// share of our user.
const mostRoom = 4096

// reportRepliers has k told of each Replier that binds or unbinds from now on, and of those that there are.
func reportRepliers(ctx context.Context, k *kbus.Ksock) error {
	if err := k.Bind(ctx, kbus.NameReplierBindEvent, kbus.Listener); err != nil {
		return err
	}
	for room := uint32(128); ; room *= 2 {
		_, err := k.Settings().SetReportReplierBinds(ctx, true)
		if !errors.Is(err, kbus.ErrReportFull) || room > mostRoom {
			return err
		}
		info, err := k.Observer().Info(ctx) // there are more Repliers than fit the queue
		if err != nil {
			return err
		}
		if _, err := k.Queue().SetLimit(ctx, info.Repliers+room); err != nil {
			return err
		}
	}
}
