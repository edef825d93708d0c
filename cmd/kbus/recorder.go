package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/choose"
	"kbus.example/kbus/internal/recording/tapped"
)

// A recorder taps a bus, for as long as it is to, and over lives of the bus. Two goroutines use it: one has the events, and one
// the time; both hold the lock for what they do.

// sink is where events go.
type sink interface {
	Write(e *recording.Event) error
	Flush() error // each second: what is there goes out
	Reconnected() // what comes may be of another life of the bus
	Close() error
	Serial() uint64 // of the last event that was there before
	Names() []string
	Name() string
	Bytes() int64
}

// recordable is what is recorded.
type recordable struct {
	filter kbus.TapFilter // what the tap shows
	choice choose.Choice  // what is meant of that
}

// chosen is what a filter means.
func chosen(f kbus.TapFilter) recordable {
	return recordable{f, choose.Choice{Patterns: f.Patterns, OnlyFailures: f.OnlyFailures}}
}

type recorder struct {
	*line
	recordable
	most   uint64 // events; 0: any number
	pause  time.Duration
	report *os.File // for the figures; nil: standard output
	far    *progress
	begin  func() (sink, error)

	mu      sync.Mutex
	until   time.Time // what happens later is no longer recorded; zero: it is
	sink    sink
	event   recording.Event // the last
	figures recordFigures
}

// recordFigures is what record tells at the end.
type recordFigures struct {
	Events   uint64   `json:"events"`
	Messages uint64   `json:"messages"` // that were sent
	Missed   uint64   `json:"missed"`
	Bytes    int64    `json:"bytes"` // of all files
	Lives    int      `json:"lives"` // of the bus
	Files    []string `json:"files"`
}

const (
	flushPause = time.Second      // what a kill may cost
	livePause  = time.Second / 20 // when somebody looks on
	busPause   = time.Second / 4  // between looks whether the bus is back
)

// errEnough is why a recording ends that has as much as was asked for.
var errEnough = errors.New("enough")

// lastEvents is how long nothing must have come before a recorder that is to end does. The daemon keeps events for 5 ms at most.
const lastEvents = time.Second / 4

// run records until asked ends or there is enough, which is no error.
func (r *recorder) run(asked context.Context) error {
	ctx, end := context.WithCancelCause(context.WithoutCancel(asked))
	defer end(nil)
	defer context.AfterFunc(asked, func() {
		r.mu.Lock()
		r.until = time.Now()
		r.mu.Unlock()
		for more := true; more; {
			before := r.lastSerial()
			time.Sleep(lastEvents)
			more = r.lastSerial() != before
		}
		end(errEnough)
	})()
	o, err := r.observe(ctx, kbus.BusNumber(r.Bus))
	if err != nil {
		return err
	}
	var timing sync.WaitGroup
	for {
		events, err := o.Tap(ctx, withAnswers(r.filter))
		if err == nil && r.sink == nil {
			var begun sink
			if begun, err = r.begin(); err == nil {
				r.mu.Lock()
				r.sink = begun
				if f, ok := begun.(*flight); ok {
					f.begun()
				}
				r.event.Serial = begun.Serial()
				r.mu.Unlock()
				r.remark("%v: recording %s", o, cmp.Or(strings.Join(r.choice.Patterns, " "), "everything"))
				timing.Go(func() { r.keepTime(ctx, end) })
			}
		}
		if err == nil {
			r.figures.Lives++
			err = r.take(events)
		}
		_ = o.Close()
		switch {
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case errors.Is(err, kbus.ErrBusGone) && r.sink != nil:
			if o, err = r.await(ctx); err == nil {
				continue
			}
		}
		if errors.Is(err, errEnough) {
			err = nil
		}
		end(err)
		timing.Wait()
		return r.end(err)
	}
}

// lastSerial is that of the last event.
func (r *recorder) lastSerial() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.event.Serial
}

// take records until there are no more events.
func (r *recorder) take(events func(func(*kbus.Event, error) bool)) (failure error) {
	events(func(e *kbus.Event, err error) bool {
		if failure = err; err == nil {
			failure = r.keep(e)
		}
		return failure == nil
	})
	return failure
}

func (r *recorder) keep(e *kbus.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.until.IsZero() && e.Time.After(r.until) {
		return errEnough
	}
	last := r.event.Serial
	tapped.Keep(e, last+1, kbus.BusNumber(r.Bus), &r.event)
	wanted := r.choice.Wants(&r.event)
	switch {
	case wanted:
	case e.Lost > 0: // that something is missing is not left out
		r.event = recording.Event{Serial: last + 1, Bus: uint32(r.Bus), Missed: e.Lost}
	default:
		r.event.Serial = last
		return nil
	}
	if err := r.sink.Write(&r.event); err != nil {
		return err
	}
	f := &r.figures
	f.Missed += e.Lost
	if !wanted || e.Event == kbus.EventLost {
		return nil
	}
	f.Events++
	if e.Event == kbus.EventSent && e.Err == nil {
		f.Messages++
	}
	if f.Events == r.most {
		return errEnough
	}
	return nil
}

// await waits until the bus is back.
func (r *recorder) await(ctx context.Context) (*kbus.Observer, error) {
	r.far.clear()
	r.note(fmt.Sprintf("bus %d is gone; the recording goes on when it is back", r.Bus))
	ticks := time.NewTicker(busPause)
	defer ticks.Stop()
	for {
		o, err := r.observe(ctx, kbus.BusNumber(r.Bus))
		switch {
		case err == nil:
			r.far.clear()
			r.note(fmt.Sprintf("bus %d is back", r.Bus))
			r.mu.Lock()
			r.sink.Reconnected()
			r.mu.Unlock()
			return o, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !errors.Is(err, kbus.ErrNoSuchBus) && !errors.Is(err, kbus.ErrBusGone) && !errors.Is(err, kbus.ErrStopping):
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ticks.C:
		}
	}
}

// keepTime flushes, and tells how far it is.
func (r *recorder) keepTime(ctx context.Context, end context.CancelCauseFunc) {
	pause := cmp.Or(r.pause, flushPause)
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	for shown := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks.C:
			r.mu.Lock()
			err := r.sink.Flush()
			if err != nil {
				end(err)
			}
			if now.Sub(shown) >= progressPause {
				shown = now
				r.far.show(r.progress())
			}
			r.mu.Unlock()
		}
	}
}

// progress is one line.
func (r *recorder) progress() string {
	f := &r.figures
	return fmt.Sprintf("%d messages, %s, %d missed, %s", f.Messages, inUnits(r.sink.Bytes()), f.Missed, r.sink.Name())
}

// end ends the recording in order, whatever has ended it, and tells what there is.
func (r *recorder) end(cause error) error {
	if r.sink == nil {
		return cause
	}
	err := r.sink.Close()
	r.far.clear()
	r.figures.Bytes, r.figures.Files = r.sink.Bytes(), r.sink.Names()
	if r.figures.Missed > 0 {
		r.note(tooFast(r.figures.Missed, "this recorder"))
	}
	out := r.outputOrError()
	if r.JSON {
		return firstError(cause, firstError(err, cli.WriteJSON(out, r.figures)))
	}
	if out == r.out || isTerminal(out) {
		fmt.Fprintf(out, "%s, %d of them messages that were sent, %s in %s\n", plural(r.figures.Events, "event"), r.figures.Messages,
			inUnits(r.figures.Bytes), cmp.Or(r.filesNamed(), "no file"))
	}
	return firstError(cause, err)
}

// filesNamed names one file, or the first and the last.
func (r *recorder) filesNamed() string {
	names := r.figures.Files
	if len(names) > 1 {
		return fmt.Sprintf("%d files, %s to %s", len(names), names[0], names[len(names)-1])
	}
	return strings.Join(names, "")
}
