package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/choose"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/files"
	"kbus.example/kbus/internal/recording/tapped"
	"kbus.example/kbus/message"
)

// kbus show: a recording as kbus monitor would have shown it.

type showing struct {
	view
	choice choose.Choice
	buses  map[uint32]*shownBus
	now    time.Time // of the recording
}

// shownBus is what is known of one bus: a recording may be of several, whose ids and Ksocks have the same numbers.
type shownBus struct {
	watched
	known map[kbus.KsockID]kbus.Peer // programs of Ksocks
}

func showCommand(l *line) *cobra.Command {
	s := &showing{view: view{line: l, namesBus: true}, buses: map[uint32]*shownBus{}}
	s.peerOf = s.peer
	c := &cobra.Command{
		Use:   "show FILE [NAME...]",
		Short: "print what is in a recording",
		Long: `show prints a recording of kbus record, of either form, as kbus monitor would have
printed it then, and of which bus it is; with NAMEs (which may end in '%' or '*') only
what has such a name and what answers its Requests, and with --bus only what was on
that bus. FILE may be - for standard input.

Of a file that is damaged, or ends too early because its recorder was killed, it shows
what can be read, and says at which byte it cannot go on (status 74, or 61 for an
end that is missing).`,
		Example: `kbus show day.pcapng
kbus show day.pcapng '$.Lamp.*' --failures
kbus show day.pcapng --slow 100ms --from 10s --to 1m
kbus show day.pcapng --trace 4bf92f3577b34da6a3ce929d0e0e4736
kbus show day.pcapng --stats --json`,
		Args:              cli.Takes("FILE", "[NAME...]"),
		ValidArgsFunction: completeRecording,
	}
	s.register(c)
	c.Flags().Lookup("unanswered").Usage = "only Requests without an answer at the end, after --slow if given"
	registerTimes(c, &s.choice)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		s.patterns, s.choice.Bus = args[1:], busIfGiven(cmd, l)
		if err := s.check(); err != nil {
			return err
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		return s.show(ctx, args[0])
	}
	return c
}

func registerTimes(c *cobra.Command, choice *choose.Choice) {
	c.Flags().Var(&choice.From, "from", "only from that `MOMENT` on: so long after the beginning (90s), or a time\n(2026-11-30T01:22:13Z)")
	c.Flags().Var(&choice.To, "to", "only what was before that `MOMENT`")
}

// busIfGiven is for commands that look at no bus, and to which --bus says what is meant of a recording; nil: it does not.
func busIfGiven(cmd *cobra.Command, l *line) *uint32 {
	if !cmd.Flags().Changed("bus") {
		return nil
	}
	bus := uint32(l.Bus)
	return &bus
}

// completeRecording completes the first argument, a file.
func completeRecording(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{string(recording.Pcapng), string(recording.MCAP)}, cobra.ShellCompDirectiveFilterFileExt
}

// errShown ends the reading of a recording of which enough has been seen.
var errShown = errors.New("enough of the recording")

// readRecording calls use with each event of a file, valid for the call, until there is no more, or use or ctx ends it. What
// cannot be read is an error that names file and place.
func readRecording(ctx context.Context, stdin *os.File, file string, p *progress, use func(*recording.Event) error) error {
	in := stdin
	if file != files.Standard {
		var err error
		if in, err = os.Open(file); err != nil {
			return err
		}
		defer in.Close()
	}
	far := newReading(in, nameOfInput(file))
	defer p.run(far.String)()
	r, _, err := recording.Open(far)
	for err == nil {
		var e recording.Event
		if err = r.Next(&e); err != nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		far.events.Add(1)
		if err := use(&e); err != nil {
			return err
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("%s: %w", nameOfInput(file), err)
}

func nameOfInput(file string) string {
	if file == files.Standard {
		return "standard input"
	}
	return file
}

func (s *showing) show(ctx context.Context, file string) error {
	s.choice.Ksock, s.choice.OnlyFailures = s.ksock, s.failures
	if !s.looksAtAll() { // for a Status has another name than its Request
		s.choice.Patterns = s.patterns
	}
	if name, fault := s.choice.Check(); fault != 0 {
		return badPattern("show", name, fault)
	}
	p := newProgress(s.line)
	out := bufio.NewWriterSize(p.over(s.out), 64<<10)
	s.text = out
	err := readRecording(ctx, s.in, file, p, func(e *recording.Event) error { return s.one(ctx, e) })
	switch {
	case errors.Is(err, errShown), err != nil && err == context.Cause(ctx): //nolint:errorlint // the very same
		err = nil
	default:
		err = firstError(err, s.atEnd())
	}
	err = firstError(out.Flush(), err)
	s.text = s.out
	var all []*watched
	for _, bus := range slices.Sorted(maps.Keys(s.buses)) {
		all = append(all, &s.buses[bus].watched)
	}
	return firstError(err, s.end("the recorder", all...))
}

// atEnd tells of Requests that are still without an answer.
func (s *showing) atEnd() (err error) {
	for _, bus := range slices.Sorted(maps.Keys(s.buses)) {
		s.turnTo(bus)
		err = firstError(err, s.overdue(s.now))
	}
	return err
}

// mostBuses is more than daemons have. A hostile recording that names more makes us forget some.
const mostBuses = 1 << 10

// turnTo has the bus of an event be that which all is about.
func (s *showing) turnTo(bus uint32) {
	if s.buses[bus] == nil {
		if len(s.buses) >= mostBuses {
			clear(s.buses)
		}
		s.buses[bus] = &shownBus{newWatched(bus), map[kbus.KsockID]kbus.Peer{}}
	}
	s.of = &s.buses[bus].watched
}

// one shows an event, if it is meant.
func (s *showing) one(ctx context.Context, e *recording.Event) error {
	s.turnTo(e.Bus)
	if e.Ksock != 0 && e.Kind != event.Lost {
		s.know(e)
	}
	shown := tapped.Show(e)
	if e.Wall != 0 {
		s.now = shown.Time
	}
	switch {
	case s.choice.Past(e):
		return errShown
	case s.choice.Wants(e):
	case s.choice.Loses(e):
		shown = &kbus.Event{Event: kbus.EventLost, Lost: e.Missed}
	default:
		return nil
	}
	err := s.event(ctx, shown)
	if err == nil && s.count > 0 && s.printed >= s.count {
		err = errShown
	}
	return err
}

var errNotRecorded = errors.New("the recording has nothing that this Ksock did")

const mostKnown = 1 << 16 // Ksocks whose programs are remembered

func (s *showing) know(e *recording.Event) {
	known := s.buses[s.of.bus].known
	if len(known) >= mostKnown {
		clear(known)
	}
	known[kbus.KsockID(e.Ksock)] = kbus.Peer{Ksock: kbus.KsockID(e.Ksock), UID: e.UID, GID: e.GID, PID: e.PID, Program: e.Program}
}

// peer is the program of a Ksock, as far as the recording tells.
func (s *showing) peer(ksock kbus.KsockID) (kbus.Peer, error) {
	p, ok := s.buses[s.of.bus].known[ksock]
	if !ok {
		return p, errNotRecorded
	}
	return p, nil
}

// badPattern says what is wrong with a name.
func badPattern(op, name string, fault message.Condition) error {
	return &kbus.Error{Op: op, Name: name, Err: fault, Text: message.NameFault([]byte(name), false, true)}
}
