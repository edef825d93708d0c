package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"kbus"
)

// line is what holds for every command: the flags that all have, and where output goes to.
type line struct {
	bus      busNumber
	dir      string
	json     bool
	out, err *os.File
}

func newLine() *line { return &line{out: os.Stdout, err: os.Stderr} }

// directory is where the daemon's sockets are.
func (l *line) directory() string {
	if l.dir != "" {
		return l.dir
	}
	return kbus.RuntimeDir()
}

// logger writes to standard error; systemd and people both read that.
func (l *line) logger(level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if l.json {
		return slog.New(slog.NewJSONHandler(l.err, o))
	}
	return slog.New(slog.NewTextHandler(l.err, o))
}

// printJSON writes one JSON line.
func (l *line) printJSON(v any) error { return writeJSON(l.out, v) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// untilSignal gives a context that ends with the first SIGINT, SIGTERM or SIGHUP, so that a command can end in order. A
// second one ends the process at once.
func untilSignal(ctx context.Context) (_ context.Context, done func()) {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// busNumber is the value of --bus.
type busNumber uint32

const lastBus = 255 // R1.2: there are at most 256

func (b *busNumber) String() string { return strconv.FormatUint(uint64(*b), 10) }
func (b *busNumber) Type() string   { return "N" }

func (b *busNumber) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > lastBus {
		return errors.New("buses are numbered from 0 to 255")
	}
	*b = busNumber(n)
	return nil
}
