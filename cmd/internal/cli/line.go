package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"kbus.example/kbus/internal/rundir"
)

// Small things that commands of all programs need: a line of JSON, an end at a signal, the number of a bus.

// WriteJSON writes one JSON line.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// UntilSignal gives a context that ends with the first SIGINT, SIGTERM or SIGHUP, so that a command can end in order. A
// second one ends the process at once. Commands that have nothing to put in order do without, and the signal ends them.
func UntilSignal(ctx context.Context) (_ context.Context, done func()) {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// UntilOver is UntilSignal for a command that lasts so long at most; 0: any time.
func UntilOver(ctx context.Context, lasting time.Duration) (_ context.Context, done func()) {
	ctx, stop := UntilSignal(ctx)
	if lasting == 0 {
		return ctx, stop
	}
	ctx, cancel := context.WithTimeout(ctx, lasting)
	return ctx, func() { cancel(); stop() }
}

// BusNumber is the value of --bus.
type BusNumber uint32

// LastBus is the greatest (R1.2: there are at most 256).
const LastBus = rundir.LastBus

func (b *BusNumber) String() string { return strconv.FormatUint(uint64(*b), 10) }

// Type is what stands for it in the help.
func (b *BusNumber) Type() string { return "N" }

// Set reads it.
func (b *BusNumber) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > LastBus {
		return errors.New("buses are numbered from 0 to 255")
	}
	*b = BusNumber(n)
	return nil
}
