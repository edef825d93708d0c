package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/version"
)

// versionLine is also what --version says.
func versionLine() string {
	return fmt.Sprintf("kbus %s (%s, %s/%s)", version.Built, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func versionCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: "kbus version",
		Args:    cli.Takes(),
		RunE: func(*cobra.Command, []string) error {
			if l.JSON {
				return l.printJSON(struct {
					Version string `json:"version"`
					Go      string `json:"go"`
					System  string `json:"system"`
				}{version.Built, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintln(l.out, versionLine())
			return err
		},
	}
}
