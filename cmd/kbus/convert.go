package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/choose"
	"kbus.example/kbus/internal/recording/files"
)

// kbus convert: recordings of one form as one recording of the other, or a part of one as a smaller one. Files cannot be joined
// with cat; this does it.

type converting struct {
	*line
	format, compress string
	choice           choose.Choice
	out              *files.Files
	serial           uint64 // of the last event
	figures          convertFigures
}

type convertFigures struct {
	Events uint64 `json:"events"`
	Cut    uint64 `json:"cut,omitempty"` // whose data is too long for the format
	Bytes  int64  `json:"bytes"`
}

func convertCommand(l *line) *cobra.Command {
	v := &converting{line: l}
	c := &cobra.Command{
		Use:   "convert IN... OUT",
		Short: "make one recording of another form, of a part, or of several",
		Long: `convert writes what is in the recordings IN, one after the other, into a new one, OUT.
The ending of its name is its form: .pcapng for Wireshark, .mcap for Foxglove. Both
keep all of an event, but that Wireshark takes 256 KiB of one at most.

With --name, --bus, --from and --to it is a part of them. IN and OUT may be - for
standard input and output. Of a file that is damaged, what can be read is converted,
and the status is that of kbus show.`,
		Example: `kbus convert day.pcapng day.mcap
kbus convert day.pcapng part.pcapng --bus 0 --from 10s --to 1m --name '$.Lamp.*'
kbus convert day.pcapng part.pcapng both.mcap --compress zstd`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return cli.Misused("IN and OUT are needed")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{string(recording.Pcapng), string(recording.MCAP)}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	f := c.Flags()
	f.StringVar(&v.format, "format", "", "write the `FORMAT` pcapng or mcap, whatever the name of OUT\nsays")
	f.StringVar(&v.compress, "compress", "", "compress each part of an MCAP file by itself; the `METHOD`\nis zstd")
	f.StringArrayVar(&v.choice.Patterns, "name", nil, "only what has such a `NAME`, which may end in '%' or '*', and\nwhat answers its Requests; may be repeated")
	registerTimes(c, &v.choice)
	registerForms(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		v.choice.Bus = busIfGiven(cmd, l)
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		return v.convert(ctx, args[:len(args)-1], args[len(args)-1])
	}
	return c
}

// registerForms completes the flags that say how a recording is written.
func registerForms(c *cobra.Command) {
	for flag, values := range map[string][]string{
		"format": {string(recording.Pcapng), string(recording.MCAP)}, "compress": {string(recording.Zstd)},
	} {
		_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

func (v *converting) convert(ctx context.Context, in []string, out string) (err error) {
	if name, fault := v.choice.Check(); fault != 0 {
		return badPattern("convert", name, fault)
	}
	plan, err := (&recordFlags{format: v.format, compress: v.compress}).plan(out, false)
	if err != nil {
		return err
	}
	if out == files.Standard && isTerminal(v.line.out) {
		return cli.Misused("a recording is nothing for a terminal: give a file, or send it through a pipe")
	}
	if err = v.readAll(ctx, in, plan); v.out == nil {
		if err == nil {
			err = v.begin(plan)
		}
		if err != nil {
			return err // and OUT is not there
		}
	}
	err = firstError(err, v.out.Close())
	v.figures.Bytes = v.out.Bytes()
	if v.figures.Cut > 0 {
		v.note("of " + plural(v.figures.Cut, "event") + " not all data fits into a capture file")
	}
	switch {
	case out == files.Standard:
	case v.JSON:
		err = firstError(err, v.printJSON(v.figures))
	default:
		fmt.Fprintf(v.line.out, "%s, %s in %s\n", plural(v.figures.Events, "event"), inUnits(v.figures.Bytes), out)
	}
	return err
}

// readAll reads one file after the other. Of one that is damaged what can be read is used, and then the next: the first such error
// is the one of the command, and others are told.
func (v *converting) readAll(ctx context.Context, in []string, plan files.Plan) (damage error) {
	for _, file := range in {
		if _, err := os.Stat(file); err != nil && file != files.Standard {
			return err
		}
	}
	p := newProgress(v.line)
	for _, file := range in {
		if v.out != nil {
			v.out.Reconnected()
		}
		err := readRecording(ctx, v.in, file, p, func(e *recording.Event) error { return v.one(plan, e) })
		var broken *recording.Broken
		switch {
		case err == nil, errors.Is(err, errShown):
		case ctx.Err() != nil:
			return errStopped
		case !errors.As(err, &broken):
			return err
		case damage == nil:
			damage = err
		default:
			v.note(err.Error())
		}
	}
	return damage
}

func (v *converting) begin(plan files.Plan) error {
	out, err := files.Begin(plan)
	if err == nil {
		v.out = out
	}
	return err
}

func (v *converting) one(plan files.Plan, e *recording.Event) error {
	switch {
	case v.choice.Past(e):
		return errShown
	case v.choice.Wants(e):
	case v.choice.Loses(e): // that something is missing is not left out
		*e = recording.Event{Serial: e.Serial, Bus: e.Bus, Missed: e.Missed}
	default:
		return nil
	}
	if e.Serial <= v.serial {
		e.Serial = v.serial + 1
	}
	if v.out == nil { // only now, so that a command that can read nothing leaves no file
		if err := v.begin(plan); err != nil {
			return err
		}
	}
	v.serial = e.Serial
	v.figures.Events++
	if recording.Cuts(plan.Format, e) {
		v.figures.Cut++
	}
	return v.out.Write(e)
}
