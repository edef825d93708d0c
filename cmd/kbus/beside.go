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

// Two programs lie beside kbus: kbus-limpet, because only that needs TLS and NATS, and kbus-web, because only that is a
// server for HTTP. `kbus limpet`, `kbus web` and `kbus metrics`, and kbus started as runlimpet, become them: the process stays, so
// signals, the exit status and the terminal are as they should be.

const (
	limpetProgram = "kbus-limpet"
	webProgram    = "kbus-web"
)

func webCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "web [ARGUMENT...]",
		Short: "show the buses as a page in a browser (runs kbus-web)",
		Long: `web runs kbus-web web with all the arguments. It serves a page that shows the buses as
bowls, Ksocks as fish, and messages as they swim. kbus-web lies beside kbus, or in
PATH.`,
		Example:            "kbus web\nkbus web --listen 127.0.0.1:8080    # kbus-web web --help tells more",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"--help"}) {
				return cmd.Help()
			}
			return become(webProgram, webProgram, append([]string{"web"}, args...))
		},
	}
}

func metricsCommand(l *line) *cobra.Command {
	return &cobra.Command{
		Use:   "metrics [ARGUMENT...]",
		Short: "print figures for Prometheus, or serve them (runs kbus-web)",
		Long: `metrics runs kbus-web metrics with all the arguments. It prints the figures of the
buses as Prometheus and OpenMetrics read them, or serves them. kbus-web lies beside
kbus, or in PATH.`,
		Example:            "kbus metrics\nkbus metrics --listen 127.0.0.1:9464 --name '$.Door.*'    # kbus-web metrics --help tells more",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"--help"}) {
				return cmd.Help()
			}
			return become(webProgram, webProgram, append([]string{"metrics"}, args...))
		},
	}
}

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
			return become(limpetProgram, limpetProgram, args)
		},
	}
}

// becomeLimpet comes back only if there is none.
func (l *line) becomeLimpet(name string, args []string) int {
	err := become(limpetProgram, name, args)
	l.reportFailure(err)
	return exitStatus(err)
}

// become runs a program that lies beside this one, under that name and with these arguments, in place of this one.
func become(program, name string, args []string) error {
	path, err := findBeside(program)
	if err != nil {
		return err
	}
	err = syscall.Exec(path, append([]string{name}, args...), os.Environ())
	return fmt.Errorf("cannot run %s: %w", path, err)
}

// findBeside looks beside this program, wherever a link to it may lie, and then in PATH.
func findBeside(program string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	beside := filepath.Join(filepath.Dir(self), program)
	if found, err := exec.LookPath(beside); err == nil {
		return found, nil
	}
	found, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("there is no %s: it should lie beside %s or in PATH; it is built and installed with kbus (%w)",
			program, self, syscall.ENOENT)
	}
	return found, nil
}
