package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/files"
)

// kbus record: a tap whose events go into files. What is recorded, and where to, is here; recorder.go does it.

// recordFlags are the flags of it.
type recordFlags struct {
	format     string
	compress   string
	goOn       bool
	rotateSize byteSize
	rotateTime time.Duration
	keep       uint32
	count      uint32
	lasting    time.Duration
	filter     kbus.TapFilter
	ksock      uint32
	maxData    int64
}

func recordCommand(l *line) *cobra.Command {
	f, last := &recordFlags{}, &flightFlags{}
	to := ""
	c := &cobra.Command{
		Use:   "record [NAME...]",
		Short: "write what happens on the bus into a file",
		Long: `record writes what kbus monitor shows into a file, for kbus show and kbus replay, and
for other tools: a capture file for Wireshark, or an MCAP file for Foxglove, as the
ending of its name says. With NAMEs (which may end in '%' or '*') only what has such
a name, and the Statuses of its Requests. It goes on until Ctrl-C, and disturbs nobody.

The file is there when the recording has begun. All that happened is in it at the
latest a second later, also when record is killed. What came faster than it could be
written is missing, and counted where it is missing. When the bus is gone, record
says so and goes on when it is back. No file is written over.

With --last it is a flight recorder: what happened last is in memory, and in a file
only when there is a reason to write it.`,
		Example: `kbus record -o day.pcapng --for 10s
kbus record -o lamps.mcap '$.Lamp.*' --compress zstd --for 10s
kbus record -o ring.pcapng --rotate-size 100M --rotate-every 1h --keep 24 --for 10s
kbus record -o - --for 10s | tshark -i - 2>/dev/null
kbus record -o crash.pcapng --last 5m --trigger '$.Alarm.*' --trigger-unanswered 2s --for 10s`,
		ValidArgsFunction: l.completeNames(boundNames),
	}
	c.Flags().StringVarP(&to, "output", "o", "", "`FILE` to write, or - for standard output; its ending, .pcapng\nor .mcap, is its format")
	f.register(c)
	last.register(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.maxData < 0 && cmd.Flags().Changed("max-data") {
			return cli.Misused("--max-data is a number of bytes; 0 is none of the data")
		}
		plan, err := f.plan(to, last.last > 0)
		if err != nil {
			return err
		}
		if err := last.check(c, f, to); err != nil {
			return err
		}
		if to == files.Standard && isTerminal(l.out) {
			return cli.Misused("a recording is nothing for a terminal: give a file, or send it through a pipe")
		}
		ctx, done := cli.UntilOver(cmd.Context(), f.lasting)
		defer done()
		f.filter.Patterns = args
		r := &recorder{line: l, far: newProgress(l), recordable: chosen(f.tapFilter()), most: uint64(f.count), begin: func() (sink, error) { return beginFiles(plan) }}
		if to == files.Standard {
			r.pause, r.report = livePause, l.err
		}
		if last.last > 0 {
			last.fly(ctx, r, plan)
		}
		return r.run(ctx)
	}
	return c
}

func (f *recordFlags) register(c *cobra.Command) {
	_ = c.MarkFlagFilename("output", string(recording.Pcapng), string(recording.MCAP))
	flags := c.Flags()
	flags.StringVar(&f.format, "format", "", "write the `FORMAT` pcapng or mcap, whatever the name of the\nfile says")
	flags.StringVar(&f.compress, "compress", "", "compress each part of an MCAP file by itself; the `METHOD`\nis zstd")
	flags.BoolVar(&f.goOn, "append", false, "go on in a capture file that is there")
	flags.Var(&f.rotateSize, "rotate-size", "begin the next file after so many bytes (as 100M): FILE\ngets numbers")
	cli.SpanVar(flags, &f.rotateTime, "rotate-every", 0, "begin the next file after that `time`: FILE gets numbers")
	flags.Var((*amount)(&f.keep), "keep", "of those files keep the newest N")
	flags.Var((*amount)(&f.count), "count", "end after N events")
	cli.SpanVar(flags, &f.lasting, "for", 0, "end after that `time`")
	flags.BoolVar(&f.filter.OnlyFailures, "failures", false, "only what was refused, what somebody missed, and Statuses")
	flags.Var((*amount)(&f.ksock), "ksock", "only what Ksock N does, sends or is sent")
	flags.Int64Var(&f.maxData, "max-data", -1, "so many `BYTES` of each message's data; without it, all")
	flags.Lookup("max-data").DefValue = "0" // which the help does not show
	registerForms(c)
}

func (f *recordFlags) tapFilter() kbus.TapFilter {
	filter := f.filter
	filter.Ksock = kbus.KsockID(f.ksock)
	switch {
	case f.maxData == 0:
		filter.MaxData = -1
	case f.maxData > 0:
		filter.MaxData = int(min(f.maxData, 1<<30))
	}
	return filter
}

// plan is where the recording goes.
func (f *recordFlags) plan(to string, numbered bool) (files.Plan, error) {
	p := files.Plan{Path: to, Compress: recording.Compression(f.compress), Append: f.goOn, MaxBytes: int64(f.rotateSize),
		MaxTime: f.rotateTime, Keep: int(f.keep), Numbered: numbered}
	var err error
	if p.Format, err = formatOfFile(to, f.format); err != nil {
		return p, err
	}
	rotates := p.MaxBytes > 0 || p.MaxTime > 0
	switch {
	case p.Keep > 0 && !rotates && !numbered:
		return p, cli.Misused("--keep goes with --rotate-size, --rotate-every or --last")
	case rotates && to == files.Standard:
		return p, cli.Misused("standard output is one file: --rotate-size and --rotate-every need a name")
	case rotates && p.Append:
		return p, cli.Misused("with --rotate-size and --rotate-every each file is a new one: leave --append away")
	case p.Append && p.Format != recording.Pcapng:
		return p, cli.Misused("only a capture file (.pcapng) can go on: an MCAP file has an end")
	case p.Compress != recording.Plain && p.Compress != recording.Zstd:
		return p, cli.Misused(fmt.Sprintf("--compress %s: there is %s", p.Compress, recording.Zstd))
	case p.Compress != recording.Plain && p.Format != recording.MCAP:
		return p, cli.Misused("only an MCAP file is compressed in itself; a capture file goes through a pipe: -o - | zstd >FILE")
	}
	return p, nil
}

// formatOfFile is what a flag says or, without it, the ending of the file.
func formatOfFile(name, flag string) (recording.Format, error) {
	known, ok := recording.FormatOf(name)
	switch {
	case name == "":
		return "", cli.Misused("which file is it to be? -o FILE says so, or -o - for standard output")
	case flag == string(recording.Pcapng) || flag == string(recording.MCAP):
		return recording.Format(flag), nil
	case flag != "":
		return "", cli.Misused(fmt.Sprintf("--format %s: there are %s and %s", flag, recording.Pcapng, recording.MCAP))
	case name == files.Standard:
		return recording.Pcapng, nil
	case !ok:
		return "", cli.Misused(fmt.Sprintf("the name %s does not say the format: let it end in .pcapng or .mcap, or give --format", name))
	}
	return known, nil
}

// beginFiles is the sink of a recording that is written as it comes.
func beginFiles(plan files.Plan) (sink, error) {
	f, err := files.Begin(plan)
	switch {
	case errors.Is(err, fs.ErrExist) && plan.Format == recording.Pcapng:
		return nil, fmt.Errorf("%w, or --append to go on in it", err)
	case err != nil:
		return nil, err
	}
	return f, nil
}

// outputOrError is where a report goes when standard output may be taken.
func (r *recorder) outputOrError() *os.File {
	if r.report != nil {
		return r.report
	}
	return r.out
}
