package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kbus"
	"kbus/internal/plain"
)

func listCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the Ksocks of the bus",
		Long: `list lists the Ksocks that are open, newest first, with the process behind each: how
many messages are in its queue and how many may be, how many bindings it has, how
many of its own Requests are outstanding (not answered yet), how many Requests are
unreplied (read, and not answered by it yet), and the message that it sent last. A
star marks a Ksock whose message waits until all have room for it.

If the bus is joined to a federation, its Limpet is asked how that looks from here:
what has yet to be passed on or delivered and, for each other bowl, how many names
it holds, how many Requests it owes an answer, what it announced and what of that
was lost. kbus-limpet status tells more.`,
		Example: `kbus list
kbus list --json --bus 0`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return l.observed(func(o *kbus.Observer) error {
				list, err := o.List()
				if err != nil {
					return err
				}
				if err := l.listKsocks(list); err != nil {
					return err
				}
				return l.listFederation(cmd.Context(), o)
			})
		},
	}
}

func (l *line) listKsocks(list []kbus.KsockInfo) error {
	if l.json {
		return l.listJSON(list)
	}
	return l.table(listHeading, func(w io.Writer) {
		for _, k := range list {
			listRow(w, &k)
		}
	}, "no Ksocks")
}

const listHeading = "KSOCK\tPID\tUID\tPROGRAM\tMODE\tQUEUE\tBINDINGS\tOUTSTANDING\tUNREPLIED\tLAST SENT"

func listRow(w io.Writer, k *kbus.KsockInfo) {
	last := kbus.ID{Network: k.LastNetwork, Serial: k.LastSerial}.String()
	if k.Sending != 0 {
		last += " *"
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t%s\t%v\t%d of %d\t%d\t%d\t%d\t%s\n", k.Ksock, k.PID, k.UID, plain.Text(k.Program),
		kbus.Mode(k.Mode), k.Queued, k.MaxMessages, k.Bindings, k.Outstanding, k.Unreplied, last)
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
			UnrepliedMost: k.UnrepliedMost, SetAside: k.SetAside, OnlyOnce: k.OnlyOnce != 0, Sending: k.Sending != 0,
			LastSent: fmt.Sprintf("%d:%d", k.LastNetwork, k.LastSerial),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
