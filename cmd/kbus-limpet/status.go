package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kbus"
	"kbus/limpet/federation/report"
)

func statusCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "tell how the federation looks from this bus",
		Long: `status asks the Limpet of this bus, over the bus, how the federation looks from there:
the other bowls, what is outstanding where, and what was lost on the way. kbus list
shows it in short.`,
		Example: `kbus-limpet status
kbus-limpet status --json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, done := untilSignal(cmd.Context())
			defer done()
			k, err := kbus.OpenContext(ctx, uint32(l.bus), kbus.Dir(l.directory()))
			if err != nil {
				return l.explainNoBus(err)
			}
			defer k.Close()
			s, data, err := report.Ask(ctx, k)
			if errors.Is(err, kbus.ErrNoReplier) {
				return fmt.Errorf("the bus %d is in no federation: no Limpet runs on it with join or serve: %w", l.bus, err)
			}
			if err != nil {
				return err
			}
			if l.json {
				_, err := fmt.Fprintf(l.out, "%s\n", data)
				return err
			}
			return s.Print(l.out)
		},
	}
}
