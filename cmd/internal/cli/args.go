package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Errors about arguments use the names that the arguments have in the usage.

// Misused is bad usage that only the command itself can see.
type Misused string

// Error is what is wrong.
func (m Misused) Error() string { return string(m) }

// NoSuchCommand gets what comes after the name of the program and is no command.
func NoSuchCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return Misused(text)
}

// Takes checks the arguments of a command against their names. Those in brackets may be left out; one that ends in
// dots may be repeated.
func Takes(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for i, name := range names {
			if i >= len(args) && !strings.HasPrefix(name, "[") {
				return Misused(strings.TrimSuffix(name, "...") + " is missing")
			}
		}
		repeats := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "...")
		if len(args) > len(names) && !repeats {
			return Misused(fmt.Sprintf("unexpected argument %q", args[len(names)]))
		}
		return nil
	}
}
