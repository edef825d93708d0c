package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

// Limpets are a program of their own, kbus-limpet, because only that needs TLS and NATS. `kbus limpet`, and kbus started
// as runlimpet, become it: the process stays, so signals, the exit status and the terminal are as they should be.

const limpetProgram = "kbus-limpet"

func limpetCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "limpet [ARGUMENT...]",
		Short: "join buses (runs kbus-limpet)",
		Long: `limpet runs kbus-limpet with all the arguments. It joins buses of this machine and
of others. kbus-limpet lies beside kbus, or in PATH.`,
		Example:            "kbus limpet --help                      # kbus-limpet --help tells more",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"--help"}) {
				return cmd.Help()
			}
			return execLimpet(limpetProgram, args)
		},
	}
}

// becomeLimpet comes back only if there is none.
func (l *line) becomeLimpet(name string, args []string) int {
	err := execLimpet(name, args)
	l.reportFailure(err)
	return exitStatus(err)
}

// execLimpet becomes kbus-limpet under that name, with these arguments.
func execLimpet(name string, args []string) error {
	path, err := findLimpet()
	if err != nil {
		return err
	}
	err = syscall.Exec(path, append([]string{name}, args...), os.Environ())
	return fmt.Errorf("cannot run %s: %w", path, err)
}

// findLimpet looks beside this program, wherever a link to it may lie, and then in PATH.
func findLimpet() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	beside := filepath.Join(filepath.Dir(self), limpetProgram)
	if found, err := exec.LookPath(beside); err == nil {
		return found, nil
	}
	found, err := exec.LookPath(limpetProgram)
	if err != nil {
		return "", fmt.Errorf("there is no %s: it should lie beside %s or in PATH; it is built and installed with kbus (%w)",
			limpetProgram, self, syscall.ENOENT)
	}
	return found, nil
}
