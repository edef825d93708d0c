// Package cli is what the command lines of KBUS share: completion in shells, and manual pages, both made from the
// commands themselves.
package cli

import (
	"bytes"
	"embed"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The scripts for bash, zsh and fish are ours, and not those that cobra makes. Names of KBUS begin with $ and end in *,
// and each shell wants them in quotes of its own kind: cobra's scripts have the shell evaluate what has been typed so far,
// which fails at a quote that is still open, and that for bash needs a package that is not everywhere. Ours take the
// quotes away and evaluate nothing.

//go:embed shells
var scripts embed.FS

// Shells are those that there is a script for.
var Shells = []string{"bash", "zsh", "fish", "powershell"}

// ErrNoSuchShell is bad usage.
var ErrNoSuchShell = errors.New("SHELL is " + strings.Join(Shells[:len(Shells)-1], ", ") + " or " + Shells[len(Shells)-1])

// CompletionScript makes the script that has a shell complete the commands of a program.
func CompletionScript(root *cobra.Command, shell string) (string, error) {
	switch shell {
	case "bash", "zsh", "fish":
		script, err := scripts.ReadFile("shells/" + shell)
		function := strings.ReplaceAll(root.Name(), "-", "_")
		return strings.NewReplacer("PROGRAM", root.Name(), "FUNCTION", function).Replace(string(script)), err
	case "powershell":
		var b bytes.Buffer
		err := root.GenPowerShellCompletionWithDesc(&b)
		return b.String(), err
	}
	return "", ErrNoSuchShell
}

// CompletionCommand prints that script, as text or as JSON.
func CompletionCommand(f *Flags, about, long, example string) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     about,
		Long:      long,
		Example:   example,
		Args:      Takes("SHELL"),
		ValidArgs: Shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			script, err := CompletionScript(cmd.Root(), args[0])
			if err != nil {
				return Misused(err.Error())
			}
			if f.JSON {
				return WriteJSON(cmd.OutOrStdout(), struct {
					Shell  string `json:"shell"`
					Script string `json:"script"`
				}{args[0], script})
			}
			_, err = io.WriteString(cmd.OutOrStdout(), script)
			return err
		},
	}
}

// completeFlags has a shell offer the files of the directory only for flags whose value is one: what the usage calls FILE, DIR or
// CMD. For others it offers nothing, unless the command knows better.
func completeFlags(c *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{c.LocalNonPersistentFlags(), c.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			value, _ := pflag.UnquoteUsage(f)
			_, known := c.GetFlagCompletionFunc(f.Name)
			if known || strings.Contains(value, "FILE") || strings.Contains(value, "DIR") || strings.Contains(value, "CMD") {
				return
			}
			_ = c.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions) // fails only for a flag that does not exist
		})
	}
	for _, sub := range c.Commands() {
		completeFlags(sub)
	}
}
