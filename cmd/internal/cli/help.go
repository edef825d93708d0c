package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// What the help looks like. cobra's own puts the examples before the commands, and the description before both; here
// the usage of a command comes first, because that is what a person looks for who has just mistyped.

const usageTemplate = `usage: {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}
{{- if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name 10}} {{.Short}}{{end}}{{end}}{{else}}

Commands:{{range $cmds}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name 10}} {{.Short}}{{end}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableSubCommands}}

{{.CommandPath}} help COMMAND tells more of each.{{end}}
`

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}{{end}}

{{.UsageString}}
{{- if .HasExample}}
Examples:

{{.Example | indent}}
{{end}}`

func init() {
	cobra.AddTemplateFunc("indent", func(text string) string {
		return "  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"
	})
}

// HelpCommand tells more of a command.
func HelpCommand(example string) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "tell more of a command",
		Example: example,
		Args:    Takes("[COMMAND]"),
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, other := range c.Root().Commands() {
				if len(args) == 0 && !other.Hidden {
					names = append(names, other.Name()+"\t"+other.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil {
				return err
			}
			if err := NoSuchCommand(about, rest); err != nil {
				return err
			}
			return about.Help()
		},
	}
}
