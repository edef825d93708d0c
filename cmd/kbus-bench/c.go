package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// The same measurements through the C library: another program makes them.

// cProgram measures through the C library, with the same words as we: command line, environment and line of figures.
const cProgram = "kbus-bench-c"

// findC looks where this program is, then in PATH.
func findC() (string, error) {
	if self, err := os.Executable(); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), cProgram)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(cProgram)
}

func runC(args []string, bus uint, stdout, stderr io.Writer) int {
	path, err := findC()
	if err != nil {
		fmt.Fprintf(stderr, "kbus-bench: there is no %s here, nor in PATH: make c builds it\n", cProgram)
		return exitNotBuilt
	}
	c := exec.Command(path, args...)
	c.Env = append(os.Environ(), "KBUS_BUS="+strconv.FormatUint(uint64(bus), 10))
	if os.Getenv("PEER") == "" {
		c.Env = append(c.Env, "PEER=kbus/c")
	}
	c.Stdout, c.Stderr = stdout, stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = c.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit) && exit.ExitCode() == exitUsage:
		return exitUsage
	}
	fmt.Fprintf(stderr, "kbus-bench: %s: %v\n", cProgram, err)
	return exitFailed
}
