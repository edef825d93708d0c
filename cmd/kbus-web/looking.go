package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/metrics"
)

// How both commands look at buses: again and again, for a daemon may be started later, or anew.

// patience is how long a bus may take to answer. If it takes longer, its daemon stands still.
const patience = 5 * time.Second

// chosen are the buses to look at: that of --bus, or all that are there, or the first, which may come.
func (l *line) chosen(cmd *cobra.Command) []uint32 {
	buses := l.Buses()
	if cmd.Flags().Changed("bus") || len(buses) == 0 {
		buses = []uint32{uint32(l.Bus)}
	}
	return buses
}

func (l *line) observe(ctx context.Context, bus kbus.BusNumber) (*kbus.Observer, error) {
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	o, err := kbus.Observe(ctx, bus, kbus.Dir(l.Directory()))
	return o, l.ExplainNoBus(uint32(bus), err)
}

// report asks for what the figures need.
func (l *line) report(ctx context.Context, bus kbus.BusNumber) (r metrics.Report, err error) {
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	o, err := l.observe(ctx, bus)
	if err != nil {
		return r, err
	}
	defer o.Close()
	if r.Info, err = o.Info(ctx); err == nil {
		r.Ksocks, err = o.List(ctx)
	}
	return r, err
}

// lookAgain looks at a bus until ctx ends, each second anew if it cannot be seen, and tells down why it cannot.
func (l *line) lookAgain(ctx context.Context, bus kbus.BusNumber, look func(context.Context, *kbus.Observer) error, down func(why string)) {
	var last string
	for {
		err := l.lookOnce(ctx, bus, look)
		if ctx.Err() != nil {
			return
		}
		why := reason(err)
		down(why)
		if why != last {
			l.remark(fmt.Sprintf("bus %d cannot be seen, trying on: %s", bus, why))
			last = why
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// reason says for people why a bus cannot be seen.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("its daemon has not answered for %v", patience)
	}
	return strings.TrimPrefix(err.Error(), "kbus: ")
}

func (l *line) lookOnce(ctx context.Context, bus kbus.BusNumber, look func(context.Context, *kbus.Observer) error) error {
	o, err := l.observe(ctx, bus)
	if err != nil {
		return err
	}
	defer o.Close()
	return look(ctx, o)
}

// remark tells people something, on standard error.
func (l *line) remark(text string) {
	if l.JSON {
		_ = cli.WriteJSON(l.Err, struct {
			Message string `json:"message"`
		}{text})
		return
	}
	fmt.Fprintf(l.Err, "%s: %s\n", l.Name, text)
}

// complaints is where the server writes what is wrong with those who ask.
func (l *line) complaints() *log.Logger { return log.New(remarks{l}, "", 0) }

type remarks struct{ *line }

func (r remarks) Write(text []byte) (int, error) {
	r.remark(strings.TrimSpace(string(text)))
	return len(text), nil
}
