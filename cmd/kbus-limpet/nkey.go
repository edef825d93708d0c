package main

import (
	"fmt"
	"os"

	"github.com/nats-io/nkeys"
	"github.com/spf13/cobra"
)

func nkeyCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "nkey FILE",
		Short: "make an nkey for a bowl, and print its public half",
		Long: `nkey makes a key that a bowl shows to NATS servers (join and serve take it as --nkey). The
secret half goes into FILE, which must not be there yet; the public half, which the
servers' configuration needs, is printed.`,
		Example: "kbus-limpet nkey bowl7.nk",
		Args:    takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			pair, err := nkeys.CreateUser()
			if err != nil {
				return err
			}
			seed, err := pair.Seed()
			if err != nil {
				return err
			}
			public, err := pair.PublicKey()
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			if _, err = fmt.Fprintf(f, "%s\n", seed); err != nil {
				f.Close()
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
			if l.json {
				return l.printJSON(struct {
					Public string `json:"public"`
				}{public})
			}
			_, err = fmt.Fprintln(l.out, public)
			return err
		},
	}
}
