package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/federation/report"
)

// kbus-limpet status: asks the Limpet of a bus, over that bus, how the federation looks from there.

func statusCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "tell how the federation looks from this bus",
		Long: `status asks the Limpet of this bus, over the bus, how the federation looks from there:
the other bowls, what is outstanding where, and what was lost on the way. kbus list
shows it in short.`,
		Example: `kbus-limpet status
kbus-limpet status --json`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, done := cli.UntilSignal(cmd.Context())
			defer done()
			k, err := kbus.Open(ctx, kbus.BusNumber(l.Bus), kbus.Dir(l.Directory()))
			if err != nil {
				return l.ExplainNoBus(uint32(l.Bus), err)
			}
			defer k.Close()
			s, data, err := report.Ask(ctx, k)
			if errors.Is(err, kbus.ErrNoReplier) {
				return fmt.Errorf("the bus %d is in no federation: no Limpet runs on it with join or serve: %w", l.Bus, err)
			}
			if err != nil {
				return err
			}
			if l.JSON {
				_, err := fmt.Fprintf(l.Out, "%s\n", data)
				return err
			}
			return s.Print(l.Out)
		},
	}
}
