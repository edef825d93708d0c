package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/cmd/kbus/top/screen"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/top"
)

// kbus top: who says how much on a bus, whose queue is full, who owes answers. A tap and the daemon's reports tell; package top
// makes figures of that, and package screen shows them.

type showingTop struct {
	*line
	every time.Duration
	once  bool

	observer *kbus.Observer
	mu       sync.Mutex // for the model, which the tap fills and pictures are taken of
	model    *top.Model
	gone     chan error // what the tap ended with
}

func topCommand(l *line) *cobra.Command {
	w := &showingTop{line: l, gone: make(chan error, 1)}
	c := &cobra.Command{
		Use:   "top",
		Short: "watch who says how much, whose queue is full and who owes answers",
		Long: `top shows the Ksocks of a bus with the program behind each, how many messages a second
it sends and gets, how full its queue is, how many it missed, and how many Requests
it owes an answer, and for how long; and the names under which something is said,
with rates, sizes, how many were reached and skipped, and how long answers take.

Keys: tab goes to the other table, up and down to another row, enter shows all that
is known of it and esc goes back; s sorts by the next column, r the other way round,
/ shows only rows with a text, space stops the picture; ? is help, and q ends it.

Without a terminal, or with --json, the figures are printed instead, each time anew.
It is no Listener: nobody on the bus notices it. Who may look is the daemon's
setting 'taps'.`,
		Example: `kbus top
kbus top --every 5s
kbus top --once
kbus top --once --json`,
		Args: cli.Takes(),
	}
	f := c.Flags()
	cli.SpanVar(f, &w.every, "every", time.Second, "make new figures after that `time`")
	f.BoolVar(&w.once, "once", false, "print the figures of the first --every, and end")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if w.every < 10*time.Millisecond {
			return cli.Misused("--every is 10ms at least")
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		if err := w.run(ctx); ctx.Err() == nil {
			return err
		}
		return nil // it has been ended, whatever it was at
	}
	return c
}

// run watches until ctx ends.
func (w *showingTop) run(ctx context.Context) error {
	o, err := w.observe(ctx, kbus.BusNumber(w.Bus))
	if err != nil {
		return err
	}
	defer o.Close()
	w.observer = o
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := o.Tap(ctx, kbus.TapFilter{MaxData: -1}) // before the report: nothing is between them
	if err != nil {
		return err
	}
	first, err := w.report(ctx)
	if err != nil {
		return err
	}
	w.model = top.New(first)
	go func() {
		for e, err := range events {
			if err != nil {
				w.gone <- err
				return
			}
			w.mu.Lock()
			w.model.Note(e)
			w.mu.Unlock()
		}
	}()
	ticks := time.NewTicker(w.every)
	defer ticks.Stop()
	next := func(ctx context.Context) (*top.Picture, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-w.gone:
			return nil, err
		case <-ticks.C:
			return w.picture(ctx)
		}
	}
	if !w.once && !w.JSON && isTerminal(w.in) && isTerminal(w.out) && os.Getenv("TERM") != "dumb" {
		return screen.Run(ctx, w.colours.paint, next)
	}
	return w.printAll(ctx, next)
}

// report asks the daemon how things stand.
func (w *showingTop) report(ctx context.Context) (top.Report, error) {
	ctx, done := soon(ctx)
	defer done()
	return top.Ask(ctx, w.observer)
}

func (w *showingTop) picture(ctx context.Context) (*top.Picture, error) {
	r, err := w.report(ctx)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.model.Picture(r), nil
}

// printAll prints each picture, or the first.
func (w *showingTop) printAll(ctx context.Context, next func(context.Context) (*top.Picture, error)) error {
	for {
		p, err := next(ctx)
		switch {
		case err != nil:
			return err
		case w.JSON:
			err = w.printJSON(p.JSON())
		default:
			err = w.printPicture(p)
		}
		if err != nil || w.once {
			return err
		}
	}
}

// printPicture prints it as two tables.
func (w *showingTop) printPicture(p *top.Picture) error {
	if p.Lost > 0 {
		w.note(tooFast(p.Lost, "this top"))
	}
	err := w.table("KSOCK\tPID\tPROGRAM\tOUT/S\tIN/S\tQUEUE\tMISSED\tOWES\tOLDEST", func(out io.Writer) {
		for i := range p.Ksocks {
			k := &p.Ksocks[i]
			fmt.Fprintf(out, "%d\t%d\t%s\t%s\t%s\t%d of %d\t%d\t%d\t%s\n", k.Ksock, k.PID, plain.Text(k.Program), screen.Amount(k.Out.Messages),
				screen.Amount(k.In.Messages), k.Queued, k.MaxMessages, k.Missed, k.Unanswered, screen.Oldest(k))
		}
	}, "no Ksocks")
	if err != nil {
		return err
	}
	return w.table("NAME\tMSG/S\tSIZE\tREACHED/S\tSKIPPED\tREFUSED\tANSWER\tLONGEST", func(out io.Writer) {
		for i := range p.Names {
			n := &p.Names[i]
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", plain.Text(n.Name), screen.Amount(n.Rate.Messages), screen.Amount(n.Size()),
				screen.Amount(n.Reached), n.Skipped, n.Refused, screen.Took(n, n.Mean), screen.Took(n, n.Longest))
		}
	}, "nothing was said")
}
