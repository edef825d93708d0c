package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kbus"
)

// The two reports of the original, in its formats (part 8), for programs and people that know them. They cover all
// buses (R8.1), unless --bus asks for one.

func bindingsCommand(l *line) *cobra.Command {
	return l.reportCommand(&cobra.Command{
		Use:   "bindings",
		Short: "print the bindings report",
		Long: `bindings prints who is bound to what, in the format of /proc/kbus/bindings: number of
the bus, Ksock, process, R for Replier or L for Listener, and name; the newest
binding first. It tells of all buses, or of that given with --bus.`,
		Example: `kbus bindings
kbus bindings --bus 0 --json`,
	}, func(o *kbus.Observer) error {
		if !l.json {
			return l.printReport(o.BindingsReport())
		}
		list, err := o.Bindings()
		for _, b := range list {
			err = firstError(err, l.printJSON(struct {
				Bus   uint32 `json:"bus"`
				Ksock uint32 `json:"ksock"`
				PID   uint32 `json:"pid"`
				As    string `json:"as"`
				Name  string `json:"name"`
			}{b.Bus, b.Ksock, b.PID, b.As.String(), b.Name}))
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
	}, func(o *kbus.Observer) error {
		report, err := o.StatsReport()
		if err != nil || !l.json {
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
func (l *line) reportCommand(c *cobra.Command, report func(*kbus.Observer) error) *cobra.Command {
	c.Args = takes()
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		buses := l.buses()
		if cmd.Flags().Changed("bus") || len(buses) == 0 {
			buses = []uint32{uint32(l.bus)}
		}
		for _, bus := range buses {
			o, err := l.observe(bus)
			if err != nil {
				return err
			}
			err = report(o)
			_ = o.Close() // it always succeeds
			if err != nil {
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
