package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/pair"
)

// kbus-limpet certs: an authority and certificates, so that TLS can be tried without another tool.

func certsCommand(l *line) *cobra.Command {
	var ids []string
	c := &cobra.Command{
		Use:   "certs DIR --id N...",
		Short: "make an authority and certificates, to try out TLS",
		Long: `certs makes what Limpets need to know each other: an authority in DIR, unless there is
one, and for each network id a certificate for limpet.<id> with its key. Each machine
needs authority.pem and its own two files; authority.key must not leave this one, for
whoever has it can be any Limpet.`,
		Example: `kbus-limpet certs ~/limpets --id 1 --id 2
scp ~/limpets/authority.pem ~/limpets/limpet.2.* there:limpets/`,
		Args: cli.Takes("DIR"),
	}
	c.Flags().StringArrayVar(&ids, "id", nil, "a network `N`umber, from 1; give it as often as there are Limpets")
	c.RunE = func(_ *cobra.Command, args []string) error {
		numbers, err := networkIDs(ids)
		if err != nil {
			return cli.Misused(err.Error())
		}
		written, err := pair.MakeCertificates(args[0], numbers)
		for _, path := range written {
			if err := l.printPath(path); err != nil {
				return err
			}
		}
		return err
	}
	return c
}

func networkIDs(texts []string) (ids []uint32, err error) {
	for _, text := range texts {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("--id %s: a network id is a number from 1 to 4294967295", text)
		}
		ids = append(ids, uint32(n))
	}
	if len(ids) == 0 {
		return nil, errors.New("--id is missing: give one for each Limpet")
	}
	return ids, nil
}

func (l *line) printPath(path string) error {
	if l.JSON {
		return l.PrintJSON(struct {
			Written string `json:"written"`
		}{path})
	}
	_, err := fmt.Fprintln(l.Out, path)
	return err
}
