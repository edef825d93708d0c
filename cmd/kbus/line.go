package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// line is what holds for every command: the flags that all have, and where input comes from and output goes to.
type line struct {
	cli.Flags

	in       *os.File
	out, err *os.File
	colours  palette // of out
}

func newLine() *line {
	return &line{in: os.Stdin, out: os.Stdout, err: os.Stderr, colours: paletteFor(os.Stdout)}
}

// usualPatience is how long a bus may take about what it can answer at once. If it takes longer, its daemon stands still.
const usualPatience = 5 * time.Second

var errNoAnswer = errors.New("the bus does not answer")

// soon limits what a bus answers at once.
func soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, usualPatience, errNoAnswer)
}

// open opens a Ksock on the bus.
func (l *line) open(ctx context.Context, opts ...kbus.Option) (*kbus.Ksock, error) {
	ctx, done := soon(ctx)
	defer done()
	k, err := kbus.Open(ctx, kbus.BusNumber(l.Bus), append(opts, kbus.Dir(l.Directory()))...)
	return k, l.ExplainNoBus(uint32(l.Bus), err)
}

// leave closes a Ksock, unless the bus has not answered in time: then it would not take note of that either, and the end
// of the process closes the Ksock as well.
func leave(k *kbus.Ksock, err *error) {
	if !errors.Is(*err, context.DeadlineExceeded) {
		_ = k.Close()
	}
}

// observe looks at a bus without a Ksock.
func (l *line) observe(ctx context.Context, bus kbus.BusNumber) (*kbus.Observer, error) {
	ctx, done := soon(ctx)
	defer done()
	o, err := kbus.Observe(ctx, bus, kbus.Dir(l.Directory()))
	return o, l.ExplainNoBus(uint32(bus), err)
}

// observed looks at the bus for as long as use takes.
func (l *line) observed(cmd *cobra.Command, use func(context.Context, *kbus.Observer) error) error {
	return l.observedBus(cmd.Context(), kbus.BusNumber(l.Bus), use)
}

func (l *line) observedBus(ctx context.Context, bus kbus.BusNumber, use func(context.Context, *kbus.Observer) error) error {
	ctx, done := soon(ctx)
	defer done()
	o, err := l.observe(ctx, bus)
	if err != nil {
		return err
	}
	defer o.Close()
	return use(ctx, o)
}

// printJSON writes one JSON line.
func (l *line) printJSON(v any) error { return cli.WriteJSON(l.out, v) }

// remark says something to a person who watches; a script does not want to know. A remark after a Ctrl-C begins with
// \r, to overwrite the ^C that the terminal has shown.
func (l *line) remark(format string, args ...any) {
	if isTerminal(l.err) {
		fmt.Fprintln(l.err, paletteFor(l.err).paint(dim, fmt.Sprintf(format, args...)))
	}
}

// note writes on standard error something that somebody should find in a log.
func (l *line) note(text string) {
	text = strings.TrimPrefix(text, "kbus: ")
	if l.JSON {
		_ = cli.WriteJSON(l.err, struct { // no other way is left to report it
			Note string `json:"note"`
		}{text})
		return
	}
	fmt.Fprintln(l.err, "kbus: "+text)
}
