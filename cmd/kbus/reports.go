package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// The two reports of the original, in its formats (part 8), for programs and people that know them. They cover all
// buses (R8.1), unless --bus asks for one.

func bindingsCommand(l *line) *cobra.Command {
	return l.reportCommand(&cobra.Command{
		Use:   "bindings",
		Short: "print the bindings report",
		Long: `bindings prints who is bound to what, in the format of /proc/kbus/bindings: number of
the bus, Ksock, process, R for Replier, L for Listener or S for a standby, and name;
the newest binding first. It tells of all buses, or of that given with --bus.`,
		Example: `kbus bindings
kbus bindings --bus 0 --json`,
	}, func(ctx context.Context, o *kbus.Observer) error {
		if !l.JSON {
			return l.printReport(o.BindingsReport(ctx))
		}
		list, err := o.Bindings(ctx)
		for _, b := range list {
			err = firstError(err, l.printJSON(struct {
				Bus   uint32 `json:"bus"`
				Ksock uint32 `json:"ksock"`
				PID   uint32 `json:"pid"`
				As    string `json:"as"`
				Name  string `json:"name"`
			}{uint32(b.Bus), uint32(b.Ksock), b.PID, b.As.String(), b.Name}))
		}
		return err
	})
}

func statsCommand(l *line) *cobra.Command {
	return l.reportCommand(&cobra.Command{
		Use:   "stats",
		Short: "print the statistics report",
		Long: `stats prints the figures of each bus and its Ksocks in the format of /proc/kbus/stats.
It tells of all buses, or of that given with --bus.`,
		Example: `kbus stats
kbus stats --bus 0 --json`,
	}, func(ctx context.Context, o *kbus.Observer) error {
		report, err := o.StatsReport(ctx)
		if err != nil || !l.JSON {
			return l.printReport(report, err)
		}
		stats, err := parseStats(report)
		if err != nil {
			return err
		}
		return l.printJSON(stats)
	})
}

// reportCommand makes a command that does something for each bus.
func (l *line) reportCommand(c *cobra.Command, report func(context.Context, *kbus.Observer) error) *cobra.Command {
	c.Args = cli.Takes()
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		buses := l.Buses()
		if cmd.Flags().Changed("bus") || len(buses) == 0 {
			buses = []uint32{uint32(l.Bus)}
		}
		for _, bus := range buses {
			if err := l.observedBus(cmd.Context(), kbus.BusNumber(bus), report); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

func (l *line) printReport(report string, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(l.out, report)
	return err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
