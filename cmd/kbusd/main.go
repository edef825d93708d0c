// Command kbusd is the KBUS daemon. It runs buses for the processes of one machine, each bus behind a Unix socket in
// the runtime directory. Without any configuration it runs bus 0. docs/daemon.md is its manual.
package main

import (
	"os"

	"kbus.example/kbus/internal/guardian"
)

func main() {
	if socket, pids, is := guardian.Me(); is {
		guardian.Run(socket, pids)
		os.Exit(exitOK)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
