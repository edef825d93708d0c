package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"kbus"
)

func versionCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: "kbus-limpet version",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			if l.json {
				return l.printJSON(struct {
					Version string `json:"version"`
					Go      string `json:"go"`
				}{kbus.Version, runtime.Version()})
			}
			_, err := fmt.Fprintf(l.out, "kbus-limpet %s (%s)\n", kbus.Version, runtime.Version())
			return err
		},
	}
}
