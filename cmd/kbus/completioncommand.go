package main

import (
	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
)

// kbus completion: the script with which a shell completes commands, flags and the names that are bound on the bus.

func completionCommand(l *line) *cobra.Command {
	return cli.CompletionCommand(&l.Flags, "print what makes a shell complete kbus commands",
		`completion prints a script for bash, zsh, fish or powershell. With it, the Tab key
completes commands, flags, buses, and the names that are bound on the bus, with or
without quotes. (fish takes names in single quotes only.)`,
		`source <(kbus completion bash)                        # bash, this once
kbus completion bash > ~/.local/share/bash-completion/completions/kbus
kbus completion zsh > ~/.zfunc/_kbus
kbus completion fish > ~/.config/fish/completions/kbus.fish`)
}
