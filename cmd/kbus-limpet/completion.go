package main

import "github.com/spf13/cobra"

func completionCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "print what makes a shell complete kbus-limpet commands",
		Long:      "completion prints a script for bash, zsh, fish or powershell.",
		Example:   "source <(kbus-limpet completion bash)",
		Args:      takes("SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(l.out, true)
			case "zsh":
				return root.GenZshCompletion(l.out)
			case "fish":
				return root.GenFishCompletion(l.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(l.out)
			}
			return misused("SHELL is bash, zsh, fish or powershell")
		},
	}
}
