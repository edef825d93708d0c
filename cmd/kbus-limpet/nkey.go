package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/nkeys"
	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
)

// kbus-limpet nkey: the keys by which NATS servers know the members of a federation.

func nkeyCommand(l *line) *cobra.Command {
	var ids []string
	c := &cobra.Command{
		Use:   "nkey DIR --id N... | nkey FILE",
		Short: "make nkeys for bowls, by which NATS servers know them",
		Long: `nkey makes keys that bowls show to NATS servers.

With --id they go to the directory of kbus-limpet certs: the secret half of each to
limpet.<id>.nk, which that bowl alone needs, and the public half to limpets.nkeys, which
serve needs to know who may be which bowl. join and serve take the directory as --certs.

Without --id the secret half goes into FILE, which must not be there yet (join and serve
take it as --nkey), and the public half, which the configuration of other servers needs,
is printed.`,
		Example: `kbus-limpet nkey ~/limpets --id 1 --id 2 --id 3
kbus-limpet nkey bowl7.nk`,
		Args: cli.Takes("DIR or FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(ids) == 0 {
				public, err := makeNkey(args[0])
				if err != nil {
					return err
				}
				if l.JSON {
					return l.PrintJSON(struct {
						Public string `json:"public"`
					}{public})
				}
				_, err = fmt.Fprintln(l.Out, public)
				return err
			}
			numbers, err := networkIDs(ids)
			if err != nil {
				return cli.Misused(err.Error())
			}
			return l.makeNkeys(args[0], numbers)
		},
	}
	c.Flags().StringArrayVar(&ids, "id", nil, "the id of a bowl, a `N`umber from 1; give it as often as there are bowls")
	return c
}

// makeNkeys makes one for each bowl, and notes the public halves.
func (l *line) makeNkeys(dir string, ids []uint32) error {
	known, err := readNkeys(filepath.Join(dir, publicKeys))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	list, err := os.OpenFile(filepath.Join(dir, publicKeys), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer list.Close()
	for _, id := range ids {
		if _, there := known[id]; there {
			return fmt.Errorf("%s has a key of bowl %d already", list.Name(), id)
		}
		path := nkeyPath(dir, id)
		public, err := makeNkey(path)
		if err == nil {
			_, err = fmt.Fprintf(list, "%d %s\n", id, public)
		}
		if err == nil {
			err = l.printPath(path)
		}
		if err != nil {
			return err
		}
	}
	return l.printPath(list.Name())
}

// makeNkey writes the secret half of a key to a file that must not be there yet, and gives the public half.
func makeNkey(path string) (public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", err
	}
	seed, err := pair.Seed()
	if err != nil {
		return "", err
	}
	if public, err = pair.PublicKey(); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "%s\n", seed)
	return public, errors.Join(err, f.Close())
}
