package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
)

// kbus list: the Ksocks of a bus, with the process behind each and how full its queue is. It is an observer and needs
// no Ksock, so looking changes nothing.

func listCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the Ksocks of the bus",
		Long: `list lists the Ksocks that are open, newest first, with the process behind each: how
many messages are in its queue and how many may be, how many bindings it has, how
many of its own Requests are outstanding (not answered yet), how many Requests are
unreplied (read, and not answered by it yet), how many messages it missed because its
queue was full, and the message that it sent last. A
star marks a Ksock whose message waits until all have room for it.

If the bus is joined to a federation, its Limpet is asked how that looks from here:
what has yet to be passed on or delivered and, for each other bowl, how many names
it holds, how many Requests it owes an answer, what it announced and what of that
was lost. kbus-limpet status tells more.`,
		Example: `kbus list
kbus list --json --bus 0`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return l.observed(cmd, func(ctx context.Context, o *kbus.Observer) error {
				list, err := o.List(ctx)
				if err != nil {
					return err
				}
				if err := l.listKsocks(list); err != nil {
					return err
				}
				return l.listFederation(ctx, o)
			})
		},
	}
}

func (l *line) listKsocks(list []kbus.KsockInfo) error {
	if l.JSON {
		return l.listJSON(list)
	}
	return l.table(listHeading, func(w io.Writer) {
		for _, k := range list {
			listRow(w, &k)
		}
	}, "no Ksocks")
}

const listHeading = "KSOCK\tPID\tUID\tPROGRAM\tMODE\tQUEUE\tBINDINGS\tOUTSTANDING\tUNREPLIED\tMISSED\tLAST SENT"

func listRow(w io.Writer, k *kbus.KsockInfo) {
	last := k.LastSent.String()
	if k.Sending {
		last += " *"
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t%s\t%v\t%d of %d\t%d\t%d\t%d\t%d\t%s\n", k.Ksock, k.PID, k.UID, plain.Text(k.Program),
		kbus.Mode(k.Mode), k.Queued, k.MaxMessages, k.Bindings, k.Outstanding, k.Unreplied, k.Missed, last)
}

type jsonKsock struct {
	jsonParty
	Mode            string `json:"mode"`
	Queued          uint32 `json:"queued"`
	MaxMessages     uint32 `json:"max_messages"`
	Bindings        uint32 `json:"bindings"`
	Outstanding     uint32 `json:"outstanding"`
	OutstandingMost uint32 `json:"outstanding_most"`
	Unreplied       uint32 `json:"unreplied"`
	UnrepliedMost   uint32 `json:"unreplied_most"`
	Missed          uint64 `json:"missed"`
	SetAside        uint32 `json:"set_aside"`
	OnlyOnce        bool   `json:"only_once"`
	Sending         bool   `json:"sending"`
	LastSent        string `json:"last_sent"`
}

func (l *line) listJSON(list []kbus.KsockInfo) error {
	for _, k := range list {
		err := l.printJSON(jsonKsock{
			jsonParty: partyJSON(k.Party), Mode: kbus.Mode(k.Mode).String(), Queued: k.Queued, MaxMessages: k.MaxMessages,
			Bindings: k.Bindings, Outstanding: k.Outstanding, OutstandingMost: k.OutstandingMost, Unreplied: k.Unreplied,
			UnrepliedMost: k.UnrepliedMost, Missed: k.Missed, SetAside: k.SetAside, OnlyOnce: k.OnlyOnce, Sending: k.Sending,
			LastSent: fmt.Sprintf("%d:%d", k.LastSent.Network, k.LastSent.Serial),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
