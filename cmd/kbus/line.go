package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"kbus"
)

// line is what holds for every command: the flags that all have, and where input comes from and output goes to.
type line struct {
	bus  busNumber
	dir  string
	json bool

	in       *os.File
	out, err *os.File
	colours  palette // of out
}

func newLine() *line {
	return &line{in: os.Stdin, out: os.Stdout, err: os.Stderr, colours: paletteFor(os.Stdout)}
}

// directory is where the sockets are.
func (l *line) directory() string {
	if l.dir != "" {
		return l.dir
	}
	return kbus.RuntimeDir()
}

// open opens a Ksock on the bus.
func (l *line) open(opts ...kbus.Option) (*kbus.Ksock, error) {
	k, err := kbus.Open(uint32(l.bus), append(opts, kbus.Dir(l.directory()))...)
	return k, l.explainNoBus(uint32(l.bus), err)
}

// observe looks at a bus without a Ksock.
func (l *line) observe(bus uint32) (*kbus.Observer, error) {
	o, err := kbus.Observe(bus, kbus.Dir(l.directory()))
	return o, l.explainNoBus(bus, err)
}

// observed looks at the bus for as long as use takes.
func (l *line) observed(use func(*kbus.Observer) error) error {
	o, err := l.observe(uint32(l.bus))
	if err != nil {
		return err
	}
	defer o.Close()
	return use(o)
}

// printJSON writes one JSON line.
func (l *line) printJSON(v any) error { return writeJSON(l.out, v) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// remark says something to a person who watches; a script does not want to know. A remark after a Ctrl-C begins with
// \r, to overwrite the ^C that the terminal has shown.
func (l *line) remark(format string, args ...any) {
	if isTerminal(l.err) {
		fmt.Fprintln(l.err, paletteFor(l.err).paint(dim, fmt.Sprintf(format, args...)))
	}
}

// untilSignal gives a context that ends with the first SIGINT, SIGTERM or SIGHUP, so that a command can end in order. A
// second one ends the process at once. Commands that have nothing to put in order do without, and the signal ends them.
func untilSignal(cmd *cobra.Command) (ctx context.Context, done func()) {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
