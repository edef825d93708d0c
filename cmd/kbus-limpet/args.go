package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// What is wrong with arguments is said with the names that they have in the usage.

// noSuchCommand gets what comes after kbus-limpet and is no command.
func noSuchCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return misused(text)
}

// takes checks the arguments of a command against their names. Those in brackets may be left out.
func takes(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for i, name := range names {
			if i >= len(args) && !strings.HasPrefix(name, "[") {
				return misused(name + " is missing")
			}
		}
		if len(args) > len(names) {
			return misused(fmt.Sprintf("unexpected argument %q", args[len(names)]))
		}
		return nil
	}
}
