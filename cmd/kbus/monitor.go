package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording/choose"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/tapped"
)

// kbus monitor: a tap at the shell. It prints what a bus does, who does it and what comes of it, and disturbs nobody.

type monitoring struct {
	view
	lasting  time.Duration
	observer *kbus.Observer
	earlier  earlier
	choice   choose.Choice // of that which the tap shows
	last     event.Event   // that it was asked of
	ticked   time.Time     // when it looked last for Requests without an answer
	awake    time.Time     // since when it has done so again and again
	doubts   bool          // some may be among what was lost
}

func monitorCommand(l *line) *cobra.Command {
	m := &monitoring{view: view{line: l, text: l.out, waits: time.Second}}
	m.peerOf = m.ask
	c := &cobra.Command{
		Use:   "monitor [NAME...]",
		Short: "print everything that happens on the bus, and disturb nobody",
		Long: `monitor prints each message that is sent, with the program that sent it and how
many it reached, Statuses, refused sends, Requests that are taken, and Ksocks and bindings
that come and go; with NAMEs (which may end in '%' or '*') only what has such a name,
and the Statuses of its Requests.

It is no Listener: no queue fills, nothing counts as skipped, and nobody waits for
it. When it is too slow itself it misses events, and says how many and where. Who
may look is the daemon's setting 'taps'.`,
		Example: `kbus monitor
kbus monitor '$.Lamp.*' --failures
kbus monitor --slow 100ms
kbus monitor --unanswered
kbus monitor --follow 0:42
kbus monitor --trace 4bf92f3577b34da6a3ce929d0e0e4736
kbus monitor --stats --for 10s
kbus monitor '$.Camera.*' --decode 'protoc --decode_raw' --json`,
		ValidArgsFunction: l.completeNames(boundNames),
	}
	m.register(c)
	cli.SpanVar(c.Flags(), &m.lasting, "for", 0, "end after that `time`")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		m.patterns = args
		if err := m.check(); err != nil {
			return err
		}
		ctx, done := cli.UntilOver(cmd.Context(), m.lasting)
		defer done()
		return m.run(ctx)
	}
	return c
}

// run taps the bus until ctx ends, which is no error.
func (m *monitoring) run(ctx context.Context) error {
	o, err := m.observe(ctx, kbus.BusNumber(m.Bus))
	if err != nil {
		return err
	}
	defer o.Close()
	m.observer = o
	of := newWatched(uint32(m.Bus))
	m.of = &of
	filter := m.filter()
	m.choice = chosen(filter).choice
	events, err := o.Tap(ctx, withAnswers(filter))
	switch {
	case err != nil && ctx.Err() != nil: // it has ended before it began
		return m.end("this monitor", m.of)
	case err != nil:
		return err
	}
	ready()
	if err := m.lookForEarlier(ctx, "this monitor began"); err != nil && ctx.Err() == nil {
		return err
	}
	m.remark("%v: looking at %s", o, cmp.Or(strings.Join(m.patterns, " "), "everything"))
	came, ended := flow(ctx, events)
	ticks := time.NewTicker(monitorTick)
	defer ticks.Stop()
	m.ticked = time.Now()
	for m.count == 0 || m.printed < m.count {
		var err error
		select {
		case e := <-came:
			err = m.take(ctx, e)
		case <-ticks.C:
			err = m.look(ctx, time.Now())
		case err = <-ended:
			if ctx.Err() == nil {
				return err
			}
			return m.end("this monitor", m.of)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return m.end("this monitor", m.of)
}

// monitorTick is how often it looks for Requests without an answer.
const monitorTick = time.Second / 4

// take shows an event. What is lost may be answers: then it is not known which Requests are without one.
func (m *monitoring) take(ctx context.Context, e *kbus.Event) error {
	if e.Lost > 0 && m.unanswered {
		clear(m.of.open)
		m.doubts = true
	}
	if e = m.meant(e); e == nil {
		return nil
	}
	return m.event(ctx, e)
}

// look tells of Requests without an answer. Who was stopped has not read what came meanwhile, so that time accuses nobody.
func (m *monitoring) look(ctx context.Context, now time.Time) error {
	if now.Sub(m.ticked) > 2*monitorTick {
		m.awake = now
	}
	m.ticked = now
	if m.doubts {
		m.doubts = false
		return m.lookForEarlier(ctx, "events were missed")
	}
	if err := m.showEarlier(ctx, now); err != nil || now.Sub(m.awake) < cmp.Or(m.slow, m.waits) {
		return err
	}
	return m.overdue(now)
}

// meant is the event, or what of it is to be told; nil: nothing.
func (m *monitoring) meant(e *kbus.Event) *kbus.Event {
	tapped.Keep(e, 0, kbus.BusNumber(m.Bus), &m.last)
	switch {
	case m.choice.Wants(&m.last):
		return e
	case e.Lost > 0:
		return &kbus.Event{Event: kbus.EventLost, Lost: e.Lost}
	}
	return nil
}

// filter is what the bus need not even send us.
func (m *monitoring) filter() kbus.TapFilter {
	f := kbus.TapFilter{Patterns: m.patterns, OnlyFailures: m.failures, Ksock: kbus.KsockID(m.ksock)}
	if m.follows() {
		f.Kinds = []kbus.EventKind{kbus.EventSent, kbus.EventTaken, kbus.EventStatus}
		f.Messages = []kbus.Kind{kbus.RequestKind, kbus.ReplyKind}
	}
	if m.trace != "" {
		f.Kinds = []kbus.EventKind{kbus.EventSent, kbus.EventTaken, kbus.EventStatus}
	}
	if m.looksAtAll() {
		f.Patterns = nil // a Status has another name than its Request
	}
	if m.data == dataNone || m.stats {
		f.MaxData = -1
	}
	return f
}

// ask asks the bus who a Ksock is.
func (m *monitoring) ask(ksock kbus.KsockID) (kbus.Peer, error) {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	return m.observer.PeerOf(ctx, ksock)
}
