package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/top"
)

// kbus who: which Ksock would reply to a name and which would hear it, worked out by the bus.

func whoCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "who NAME",
		Short: "tell who would get a message of that name",
		Long: `who tells which Ksock would reply to a Request of that name, and which would hear a
message of that name, one line for each binding that matches.`,
		Example: `kbus who '$.Time'
kbus who '$.Actor.Speak' --json`,
		Args:              cli.Takes("NAME"),
		ValidArgsFunction: l.completeName(messageNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.observed(cmd, func(ctx context.Context, o *kbus.Observer) error {
				replier, listeners, err := o.Who(ctx, args[0])
				if err != nil {
					return err
				}
				if l.JSON {
					return l.printJSON(whoJSON(args[0], replier, listeners))
				}
				return printWho(l, replier, listeners)
			})
		},
	}
}

func printWho(l *line, replier kbus.Party, listeners []kbus.Party) error {
	return l.table("WHO\tKSOCK\tPID\tUID\tPROGRAM", func(w io.Writer) {
		if replier.Ksock != 0 {
			partyRow(w, "Replier", replier)
		}
		for _, p := range listeners {
			partyRow(w, "Listener", p)
		}
	}, "nobody")
}

func partyRow(w io.Writer, role string, p kbus.Party) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", role, p.Ksock, p.PID, p.UID, plain.Text(p.Program))
}

type jsonParty = top.PartyJSON

type jsonWho struct {
	Name      string      `json:"name"`
	Replier   *jsonParty  `json:"replier"` // null when there is none
	Listeners []jsonParty `json:"listeners"`
}

func whoJSON(name string, replier kbus.Party, listeners []kbus.Party) jsonWho {
	j := jsonWho{Name: name, Listeners: []jsonParty{}}
	if replier.Ksock != 0 {
		r := partyJSON(replier)
		j.Replier = &r
	}
	for _, p := range listeners {
		j.Listeners = append(j.Listeners, partyJSON(p))
	}
	return j
}

func partyJSON(p kbus.Party) jsonParty {
	return jsonParty{Ksock: uint32(p.Ksock), PID: p.PID, UID: p.UID, Program: plain.Text(p.Program)}
}
