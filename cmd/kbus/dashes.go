package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kbus.example/kbus/cmd/internal/cli"
)

// Data may begin with a dash: `kbus send '$.Temp' -5` sends -5. So behind the name of a message a word with one dash is
// data, whatever it looks like, and a word with two is a flag, which may stand there as well as before the name. Behind
// a lone -- all is data. What cobra gets is the same line with all that is no flag behind a --.

// dataIsData does that for the commands that take data.
func dataIsData(root *cobra.Command, args []string) []string {
	c, words, err := root.Find(args)
	if err != nil || c.Name() != "send" && c.Name() != "ask" {
		return args
	}
	flags, rest := []string{c.Name()}, []string(nil)
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case word == "--":
			rest, i = append(rest, words[i+1:]...), len(words)
		case len(rest) == 0 && strings.HasPrefix(word, "-") && word != "-", strings.HasPrefix(word, "--"):
			flags = append(flags, word)
			if takesValue(c, word) && i+1 < len(words) {
				i++
				flags = append(flags, words[i])
			}
		default:
			rest = append(rest, word)
		}
	}
	return slices.Concat(flags, []string{"--"}, rest)
}

// takesValue reports whether the value of a flag is the word behind it.
func takesValue(c *cobra.Command, word string) bool {
	name, isLong := strings.CutPrefix(word, "--")
	if !isLong || strings.Contains(name, "=") {
		return false
	}
	for _, set := range []*pflag.FlagSet{c.Flags(), c.InheritedFlags()} {
		if f := set.Lookup(name); f != nil {
			return f.NoOptDefVal == ""
		}
	}
	return false
}

// explainDash says how data that looks like a flag is sent.
func explainDash(c *cobra.Command, err error) error {
	if strings.HasPrefix(err.Error(), "unknown flag: ") || strings.HasPrefix(err.Error(), "bad flag syntax: ") {
		return cli.Misused(err.Error() + "; if it is data, put -- before it")
	}
	return cli.FlagError(c, err)
}
