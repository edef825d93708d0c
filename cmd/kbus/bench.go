package main

import (
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/gauge"
	"kbus.example/kbus/internal/gauge/ksock"
	"kbus.example/kbus/internal/gauge/show"
)

// kbus bench: how fast this bus is, measured by internal/gauge with processes of its own.

func benchCommand(l *line) *cobra.Command {
	o := show.Options{Peer: "kbus"}
	c := &cobra.Command{
		Use:   "bench",
		Short: "measure round trips and throughput on this bus",
		Long: `bench measures the bus that it is told, with processes of its own: how long a Request
and its Reply take, and how many messages a second get through to Listeners. Others
on the bus make it slower, and it makes them slower while it lasts.`,
		Example: `kbus bench --for 200ms
kbus bench --for 200ms --size 256 --listeners 3
kbus bench --for 200ms --size 32 --listeners 1 --json`,
		Args: cli.Takes(),
	}
	c.Flags().IntVar(&o.Size, "size", -1, "bytes of data; otherwise 32, then larger ones")
	c.Flags().IntVar(&o.Listeners, "listeners", 0, "receivers of the throughput, 1 to 256; otherwise 1 and then 8")
	cli.SpanVar(c.Flags(), &o.Each, "for", time.Second, "time for each measurement, about")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Listeners < 0 || o.Listeners > gauge.MaxConsumers {
			return cli.Misused("--listeners is 1 to 256")
		}
		k, err := l.open(cmd.Context()) // so that a bus that is not there is reported as everywhere else
		if err != nil {
			return err
		}
		k.Close()
		o.Out, o.JSON, o.Columns = l.out, l.JSON, columnsOf(l.out)
		if isTerminal(l.err) {
			o.Progress = l.err
		}
		return show.Perform(o, func() gauge.Client {
			return &ksock.Client{Bus: uint32(l.Bus), Options: []kbus.Option{kbus.Dir(l.Directory())}}
		})
	}
	return c
}
