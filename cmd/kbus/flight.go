package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/machine"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/files"
	"kbus.example/kbus/internal/recording/recent"
	"kbus.example/kbus/internal/recording/watch"
	"kbus.example/kbus/message"
)

// A flight recorder keeps the last minutes in memory, and writes them into a file when there is a reason: a signal, a message of a
// name, a Request without an answer. Then it begins anew, so that no two files have the same event.

// flightFlags are the flags that make record one.
type flightFlags struct {
	last       time.Duration
	memory     byteSize
	trigger    []string
	unanswered time.Duration
}

func (f *flightFlags) register(c *cobra.Command) {
	f.memory = 64 << 20
	flags := c.Flags()
	cli.SpanVar(flags, &f.last, "last", 0, "keep the last `TIME` in memory, and write that into a file at\nSIGUSR1 and as the --trigger flags say: FILE gets numbers")
	flags.Var(&f.memory, "memory", "with --last: so much memory at most")
	flags.StringArrayVar(&f.trigger, "trigger", nil, "with --last: write when something is sent under that `NAME`;\nmay be repeated")
	cli.SpanVar(flags, &f.unanswered, "trigger-unanswered", 0, "with --last: write when a Request is without an answer for\nthat `time`")
}

// check refuses what contradicts itself.
func (f *flightFlags) check(c *cobra.Command, r *recordFlags, to string) error {
	if f.last == 0 {
		if c.Flags().Changed("last") {
			return cli.Misused("--last 0 keeps nothing: how much is to be kept?")
		}
		for _, flag := range []string{"memory", "trigger", "trigger-unanswered"} {
			if c.Flags().Changed(flag) {
				return cli.Misused("--" + flag + " goes with --last")
			}
		}
		return nil
	}
	for _, p := range f.trigger {
		if fault := message.CheckBinding(p); fault != message.OK {
			return badPattern("trigger", p, fault)
		}
	}
	switch {
	case to == files.Standard:
		return cli.Misused("--last writes files: standard output is none")
	case r.goOn || r.rotateSize > 0 || r.rotateTime > 0:
		return cli.Misused("--last begins a file for each reason: leave --append and --rotate-... away")
	case f.unanswered > 0 && r.filter.OnlyFailures:
		return cli.Misused("with --failures no Request is seen: --trigger-unanswered needs them")
	case f.memory < recent.Least:
		return cli.Misused(fmt.Sprintf("--memory %v: at least %dK are needed", &f.memory, recent.Least>>10))
	}
	return nil
}

// widen adds to what is recorded what the triggers have to see.
func (f *flightFlags) widen(r *recorder) {
	if len(r.filter.Patterns) > 0 {
		r.filter.Patterns = append(slices.Clip(r.filter.Patterns), f.trigger...)
		r.choice.Patterns = r.filter.Patterns
	}
}

// flight is the sink of a flight recorder. Its lock is that of the recorder, and whoever calls it has it, but for Close.
type flight struct {
	*line
	lock   *sync.Mutex
	far    *progress
	plan   files.Plan
	span   time.Duration
	events *recent.Events
	watch  watch.Watch
	writer flightWriter
	missed uint64 // events that were longer than the memory, since the last that was not
}

// flightWriter is what is being written, by one goroutine at a time: memory is kept twice at most.
type flightWriter struct {
	busy    sync.WaitGroup
	writes  bool
	due     string // why it is to write next; each reason, as far as there are few
	pauseTo time.Time
	names   []string
	bytes   int64
	err     error // the last
}

const (
	triggerPause = 10 * time.Second // between two files that nobody asked for by hand
	flightPause  = time.Second / 4  // between looks for Requests without an answer
)

// fly makes a recorder a flight recorder.
func (f *flightFlags) fly(ctx context.Context, r *recorder, plan files.Plan) {
	f.widen(r)
	r.pause = flightPause
	r.begin = func() (sink, error) { return newFlight(r, plan, f) }
	onSignal(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if now, ok := r.sink.(*flight); ok {
			now.signalled()
		}
	})
}

func newFlight(r *recorder, plan files.Plan, f *flightFlags) (sink, error) {
	if _, err := files.Begin(plan); err != nil { // whether there is a place for them
		return nil, err
	}
	return &flight{line: r.line, lock: &r.mu, far: r.far, plan: plan, span: f.last, events: recent.New(int64(f.last), int(min(f.memory, math.MaxInt32))),
		watch: watch.Watch{Patterns: f.trigger, Limit: int64(f.unanswered)}}, nil
}

// begun says that it has begun, for there is no file that tells.
func (f *flight) begun() {
	if f.JSON {
		_ = f.printJSON(struct {
			Keeps float64 `json:"keeps"` // seconds
			PID   int     `json:"pid"`
		}{f.span.Seconds(), os.Getpid()})
		return
	}
	fmt.Fprintf(f.out, "the last %v are kept in memory; kill -USR1 %d writes them\n", f.span, os.Getpid())
}

func (f *flight) Write(e *recording.Event) error {
	e.Missed += f.missed
	if f.missed = 0; !f.events.Add(e) {
		f.missed = e.Missed + 1
	}
	f.reason(f.watch.Event(e))
	return nil
}

// reason takes note of one to write.
func (f *flight) reason(because string) {
	if because != "" {
		f.writer.because(because)
		f.perhaps(time.Now())
	}
}

// mostReasons is how many of them a file is said to have.
const mostReasons = 5

func (w *flightWriter) because(reason string) {
	if w.due == "" {
		w.due = reason
	} else if strings.Count(w.due, "; ")+1 < mostReasons {
		w.due += "; " + reason
	}
}

// perhaps writes what is due, unless it is too early.
func (f *flight) perhaps(now time.Time) {
	if f.writer.due != "" && !f.writer.writes && !now.Before(f.writer.pauseTo) {
		f.writer.pauseTo = now.Add(triggerPause)
		f.write()
	}
}

// Flush is called now and then.
func (f *flight) Flush() error {
	f.reason(f.watch.Overdue(int64(machine.SinceBoot())))
	f.perhaps(time.Now())
	return nil
}

// signalled writes at once, or when the file that is being written is done.
func (f *flight) signalled() {
	f.writer.because("SIGUSR1")
	f.writer.pauseTo = time.Time{}
	if !f.writer.writes {
		f.write()
	}
}

// write has a goroutine write what is there.
func (f *flight) write() {
	w, because, now := &f.writer, plain.Text(f.writer.due), int64(machine.SinceBoot())
	w.due, w.writes = "", true
	taken := f.events.Take()
	w.busy.Go(func() {
		name, figures, err := f.file(taken, now)
		f.lock.Lock()
		defer f.lock.Unlock()
		w.writes = false
		f.far.clear()
		if err != nil {
			w.err = err
			f.note(fmt.Sprintf("%s: the last %v are lost: %v", because, f.span, err))
			return
		}
		if name != "" {
			w.names = append(w.names, name)
			w.bytes += figures.bytes
		}
		f.report(name, because, figures)
	})
}

// Reconnected keeps what happened before.
func (f *flight) Reconnected() { f.watch.Reconnected() }

// Close writes what is due still; what nobody has asked for is forgotten.
func (f *flight) Close() error {
	f.writer.busy.Wait()
	f.lock.Lock()
	if f.writer.due != "" {
		f.write()
	}
	f.lock.Unlock()
	f.writer.busy.Wait()
	return f.writer.err
}

func (f *flight) Serial() uint64  { return 0 }
func (f *flight) Names() []string { return f.writer.names }
func (f *flight) Bytes() int64    { return f.writer.bytes }

// Name is for the line that tells how far it is.
func (f *flight) Name() string {
	return fmt.Sprintf("%s in memory, %s written", inUnits(int64(f.events.Bytes())), plural(len(f.writer.names), "file"))
}

// onSignal calls do at each SIGUSR1, until ctx ends. From now on the signal ends nobody.
func onSignal(ctx context.Context, do func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-signals:
				do()
			case <-ctx.Done():
				return
			}
		}
	}()
}
