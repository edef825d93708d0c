package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kbus"
	"kbus/limpet/federation"
)

func statusCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "tell how the federation looks from this bus",
		Long: `status asks the Limpet of this bus, over the bus, how the federation looks from there:
the other bowls, what is outstanding where, and what was lost on the way.`,
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
			reply, err := k.Call(ctx, kbus.Request(federation.StatusName, ""))
			if errors.Is(err, kbus.ErrNoReplier) {
				return fmt.Errorf("the bus %d is in no federation: no Limpet runs on it with join or serve: %w", l.bus, err)
			}
			if err != nil {
				return err
			}
			if l.json {
				_, err := fmt.Fprintf(l.out, "%s\n", reply.Data)
				return err
			}
			var s federation.Status
			if err := json.Unmarshal(reply.Data, &s); err != nil {
				return fmt.Errorf("the Limpet's answer cannot be read: %w", err)
			}
			return l.printStatus(&s)
		},
	}
}

func (l *line) printStatus(s *federation.Status) error {
	state := "in touch with the quorum"
	if !s.InTouch {
		state = "WITHOUT QUORUM"
	}
	server := s.Server
	if server == "" {
		server = "none"
	}
	w := tabwriter.NewWriter(l.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "bowl %d of federation %s (%s), %s, up %v\n", s.ID, s.Federation, s.Policy, state,
		time.Duration(s.UpSeconds*float64(time.Second)).Round(time.Second))
	fmt.Fprintf(w, "epoch %d, lease for %.1f s more, NATS server %s\n", s.Epoch, s.LeaseLeft, server)
	fmt.Fprintf(w, "names: %d in the directory, %d of them held here\n", s.Names, s.Own)
	fmt.Fprintf(w, "messages: %d announced, %d heard, %d copies dropped, %d not taken by this bus\n",
		s.Announced, s.Heard, s.Copies, s.Undelivered)
	fmt.Fprintf(w, "lag: %d messages of this bus to be passed on, %d of others to be delivered\n", s.ToPassOn, s.ToDeliver)
	fmt.Fprintf(w, "Requests: %d passed on, %d Replies, %d Statuses, %d outstanding; %d of others are kept here\n\n",
		s.Requests, s.Replies, s.Statuses, s.Outstanding, s.Working)
	fmt.Fprintln(w, "BOWL\tEPOCH\tSTATE\tNAMES\tOUTSTANDING\tANNOUNCED\tLOST\tWHERE")
	for _, p := range s.Peers {
		state := "joined"
		if p.Over {
			state = "left"
		}
		fmt.Fprintf(w, "%d\t%d\t%s\t%d\t%d\t%d\t%d\t%s\n", p.ID, p.Epoch, state, p.Names, p.Outstanding, p.Announced,
			p.Lost, p.Where)
	}
	return w.Flush()
}
