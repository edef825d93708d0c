package main

import (
	"bytes"
	"io"

	"github.com/spf13/cobra"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func completionCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "print what makes a shell complete kbus commands",
		Long: `completion prints a script for bash, zsh, fish or powershell. With it, the Tab key
completes commands, flags, buses, and the names that are bound on the bus.`,
		Example: `source <(kbus completion bash)                        # bash, this once; needs bash-completion
kbus completion bash > ~/.local/share/bash-completion/completions/kbus
kbus completion zsh > ~/.zfunc/_kbus
kbus completion fish > ~/.config/fish/completions/kbus.fish`,
		Args:      takes("SHELL"),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			script, err := completionScript(cmd.Root(), args[0])
			if err != nil {
				return err
			}
			if l.json {
				return l.printJSON(struct {
					Shell  string `json:"shell"`
					Script string `json:"script"`
				}{args[0], script})
			}
			_, err = io.WriteString(l.out, script)
			return err
		},
	}
}

func completionScript(root *cobra.Command, shell string) (string, error) {
	var b bytes.Buffer
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&b, true)
	case "zsh":
		err = root.GenZshCompletion(&b)
	case "fish":
		err = root.GenFishCompletion(&b, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(&b)
	default:
		return "", misused("SHELL is bash, zsh, fish or powershell")
	}
	return b.String(), err
}
