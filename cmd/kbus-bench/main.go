// Command kbus-bench measures a KBUS bus in the words of the comparison in bench/: one measurement, one line of JSON.
// Every client is a process of its own, and a message that is lost, doubled or out of order is a failure.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/gauge"
	"kbus.example/kbus/internal/gauge/ksock"
)

const usage = `usage: kbus-bench [--client go|go-socket|c] [--bus N] TEST
  rtt SIZE N                        N Requests of SIZE bytes to one Replier, one at a time
  pub SIZE N CONSUMERS [WINDOW]     N messages of SIZE bytes to that many Listeners; the sender is never more than
                                    WINDOW ahead of the slowest (1000; above 4 KiB, 100)
  idle CLIENTS                      memory of the daemon, alone and with that many connections
  crowd KSOCKS BINDINGS KIND        measure nothing: be there with so many Ksocks and bindings (exact, percent or star)
                                    that match nothing, until the end of the input
  tap KIND                          measure nothing: look at all that is said, and read it (reads) or not (stopped),
                                    until the end of the input

clients:
  go          the Go library as it comes (default)
  go-socket   the Go library over its socket only
  c           the C library, by kbus-bench-c beside this program or in PATH (make c); exit status 3 if there is none

environment:
  KBUS_DIR    where the sockets of the daemon are
  BROKER_PID  the daemon's process, or several separated by commas: its processor time and memory count
  PEER        name to print, instead of kbus/CLIENT
  WARM        messages before the clock starts
`

// Exit statuses.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNotBuilt
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kbus-bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	client := flags.String("client", "go", "")
	bus := flags.Uint("bus", 0, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	} else if err != nil {
		fmt.Fprintf(stderr, "kbus-bench: %v\n%s", err, usage)
		return exitUsage
	}
	var options []kbus.Option
	switch *client {
	case "go":
	case "go-socket":
		options = append(options, kbus.Rings(false))
	case "c":
		return runC(flags.Args(), *bus, stdout, stderr)
	default:
		fmt.Fprintf(stderr, "kbus-bench: no client is called %q\n%s", *client, usage)
		return exitUsage
	}
	var err error
	if bystander := map[string]func(uint32, []string, io.Reader, io.Writer) error{"crowd": crowd, "tap": tap}[flags.Arg(0)]; bystander != nil {
		err = bystander(uint32(*bus), flags.Args()[1:], os.Stdin, stdout)
	} else {
		err = gauge.Command(flags.Args(), stdout, "kbus/"+*client, func() gauge.Client {
			return &ksock.Client{Bus: uint32(*bus), Options: options}
		})
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errCrowd), errors.Is(err, errTap), errors.Is(err, gauge.ErrUsage):
		fmt.Fprintf(stderr, "kbus-bench: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "kbus-bench: %v\n", err)
	return exitFailed
}
