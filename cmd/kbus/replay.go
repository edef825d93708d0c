package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/replay"
)

// kbus replay: what was said then, said again. What that means is in internal/recording/replay; here are its clock, its flags and
// what it prints.

type replaying struct {
	*line
	plan    replay.Plan
	speed   speed
	renames []string
	dry     bool
	compare bool
	began   time.Time
	text    io.Writer
}

func replayCommand(l *line) *cobra.Command {
	p := &replaying{line: l, speed: 1}
	c := &cobra.Command{
		Use:   "replay FILE [NAME...]",
		Short: "send again what is in a recording, and compare the answers",
		Long: `replay sends the Announcements of a recording again and asks its Requests again, in
their order and at their pace; with NAMEs (which may end in '%' or '*') only those of
such a name. Where the recording has an answer, replay waits for the new one before
it goes on. Replies, Statuses and bind events are not sent.

With --compare it tells which answers are others than those recorded, and ends with
status 1 if there are any: a recording is a test of a service.`,
		Example: `kbus replay day.pcapng --dry-run
kbus replay day.pcapng '$.Lamp.*' --compare --speed max
kbus replay day.pcapng --speed 10 --from 1s --to 1m --rename '$.Lamp.*=$.Test.Lamp.*'`,
		Args:              cli.Takes("FILE", "[NAME...]"),
		ValidArgsFunction: completeRecording,
	}
	f := c.Flags()
	f.Var(&p.speed, "speed", "`FACTOR` times as fast as it was recorded, or max: as fast\nas all can take it")
	f.BoolVar(&p.plan.Wait, "wait", false, "each message waits until all have room, as with --speed max;\n--wait=false leaves that to the message")
	f.BoolVar(&p.dry, "dry-run", false, "print what would be sent, and when, and send nothing")
	f.BoolVar(&p.compare, "compare", false, "compare the answers with those recorded; status 1 if there are others")
	cli.SpanVar(f, &p.plan.Patience, "timeout", 10*time.Second, "how long to wait for an answer; 0 is for ever")
	f.StringArrayVar(&p.renames, "rename", nil, "`OLD=NEW`: another name; with .* behind both, all that\nbegin so. May be repeated")
	registerTimes(c, &p.plan.Choice)
	_ = c.RegisterFlagCompletionFunc("speed", cobra.FixedCompletions([]string{"1", "10", "max"}, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		p.plan.Choice.Patterns = args[1:]
		if p.dry && p.compare {
			return cli.Misused("--dry-run asks nobody: there is nothing to compare")
		}
		if !cmd.Flags().Changed("wait") {
			p.plan.Wait = p.speed == fastest
		}
		for _, text := range p.renames {
			r, err := replay.ParseRename(text)
			if err != nil {
				return cli.Misused("--rename " + err.Error())
			}
			p.plan.Renames = append(p.plan.Renames, r)
		}
		if name, fault := p.plan.Choice.Check(); fault != 0 {
			return badPattern("replay", name, fault)
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		return p.run(ctx, args[0])
	}
	return c
}

// speed is the value of --speed.
type speed float64

const fastest speed = 0

func (s *speed) Type() string { return "FACTOR" }

func (s *speed) String() string {
	if *s == fastest {
		return "max"
	}
	return strconv.FormatFloat(float64(*s), 'g', -1, 64)
}

func (s *speed) Set(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "max":
		*s = fastest
	case err != nil || !(f >= 0.001 && f <= 1e6):
		return errors.New("a number from 0.001 is needed, or max")
	default:
		*s = speed(f)
	}
	return nil
}

// mostOutstanding is how many Requests may be without an answer at a time.
const mostOutstanding = 10_000

func (p *replaying) run(ctx context.Context, file string) (err error) {
	var bus replay.Bus
	if !p.dry {
		k, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer k.Close()
		if _, err := k.Queue().SetLimit(ctx, mostOutstanding); err != nil {
			return err
		}
		bus = k
	}
	far := newProgress(p.line)
	p.text = far.over(p.out)
	p.hook()
	r := replay.New(bus, p.plan)
	p.began = time.Now()
	err = readRecording(ctx, p.in, file, far, func(e *event.Event) error { return r.Event(ctx, e) })
	var broken *recording.Broken
	if err == nil || errors.As(err, &broken) {
		err = firstError(r.End(ctx), err)
	}
	if err != nil && ctx.Err() != nil {
		err = errStopped
	}
	return firstError(p.end(r.Figures()), err)
}

// rest is short for people, and long for who empties a queue.
const rest = time.Millisecond

// hook has everything printed that is to be.
func (p *replaying) hook() {
	h := &p.plan.Hooks
	switch {
	case p.dry:
		h.Sends = p.printSends
	case p.speed != fastest:
		h.Until = p.until
	}
	h.Rest = func() { time.Sleep(rest) }
	h.Refused = p.printRefused
	if p.compare {
		h.Differs = p.printDifference
	}
}

// until waits until it is time.
func (p *replaying) until(ctx context.Context, at time.Duration) error {
	wait := time.Until(p.began.Add(time.Duration(float64(at) / float64(p.speed))))
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// replayFigures is what replay tells at the end.
type replayFigures struct {
	replay.Figures
	Seconds float64 `json:"seconds"`
}

func (p *replaying) end(f replay.Figures) error {
	lasted := time.Since(p.began)
	if f.Missed > 0 {
		p.note(tooFast(f.Missed, "the recorder") + ": not replayed")
	}
	if p.JSON {
		if err := cli.WriteJSON(p.text, replayFigures{f, lasted.Seconds()}); err != nil {
			return err
		}
	} else {
		text := "sent"
		if p.dry {
			text = "to be sent"
		}
		fmt.Fprintf(p.text, "%s %s, %d of them Requests", plural(f.Sent, "message"), text, f.Requests)
		for _, part := range []struct {
			n    uint64
			text string
		}{{f.Reached, "reached %d"}, {f.Skipped, "skipped %d"}, {f.Waited, "%d waited for room"}, {f.Refused, "%d refused"},
			{f.Cut, "%d not sent, for not all of their data was recorded"}, {f.Answered, "%d answered"}, {f.Unanswered, "%d not answered in time"}} {
			if part.n > 0 {
				fmt.Fprintf(p.text, ", "+part.text, part.n)
			}
		}
		if p.compare {
			fmt.Fprintf(p.text, ", %d compared, %d different", f.Compared, f.Different)
		}
		fmt.Fprintln(p.text)
	}
	if p.compare && f.Different > 0 {
		return fmt.Errorf("%s different from the recorded", plural(f.Different, "answer"))
	}
	return nil
}
