package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/pair"
)

// Under the name runlimpet this program takes the command line of the original, and behaves as that did: plain text,
// one link, and the end when it is lost (part 9.9 of the specification). But a server listens at the host that it is
// given, where the original listened at all.

const originalName = "runlimpet"

const originalUsage = `usage: runlimpet (-s | -c) ADDRESS [-id N] [-k N] [-m NAME] [-t NAME] [-v N]

joins a KBUS bus with another one, as the original Limpet does: in plain text, until the
other end has gone. kbus-limpet pair can do more.

  ADDRESS            HOST:PORT, or the path of a Unix socket
  -s, -server        listen there for the other end
  -c, -client        connect to it
  -id N              our network id; 1 for a client, 2 for a server, unless said
  -k N, -kbus N      number of the bus; 0 unless said
  -m NAME, -message NAME  what to pass on; '$.*' unless said
  -t NAME            end when somebody sends a message of this name
  -v N, -verbose N   0 tells only of failures, 1 of what happens, 2 of every message
  -h, -help, --help  this
`

// original is what such a command line says. Of arguments that contradict each other the last one counts (R9.65).
type original struct {
	pair.Options
	role  string
	bus   cli.BusNumber
	level slog.Level
	help  bool
}

func parseOriginal(args []string) (*original, error) {
	o := &original{}
	o.Name, o.Legacy, o.Once = pair.DefaultName, true, true
	o.MaxMessages, o.Longest = pair.DefaultMaxMessages, pair.DefaultLongest
	for len(args) > 0 {
		arg, value := args[0], ""
		args = args[1:]
		if takesValue(arg) {
			if len(args) == 0 {
				return nil, fmt.Errorf("%s: its value is missing", arg)
			}
			value, args = args[0], args[1:]
		}
		if err := o.set(arg, value); err != nil {
			return nil, err
		}
	}
	if o.help {
		return o, nil
	}
	if o.role == "" {
		return nil, fmt.Errorf("either -s or -c is needed")
	}
	o.Listen = o.role == "server"
	if o.ID == 0 {
		o.ID = 1
		if o.Listen {
			o.ID = 2
		}
	}
	return o, o.Check()
}

func takesValue(arg string) bool {
	switch arg {
	case "-id", "-k", "-kbus", "-m", "-message", "-t", "-v", "-verbose":
		return true
	}
	return false
}

func (o *original) set(arg, value string) error {
	switch arg {
	case "-s", "-server":
		o.role = "server"
	case "-c", "-client":
		o.role = "client"
	case "-h", "-help", "--help":
		o.help = true
	case "-id":
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil || n == 0 {
			return fmt.Errorf("-id %s: a network id is a number from 1", value)
		}
		o.ID = uint32(n)
	case "-k", "-kbus":
		if err := o.bus.Set(value); err != nil {
			return fmt.Errorf("%s %s: %w", arg, value, err)
		}
	case "-m", "-message":
		o.Name = value
	case "-t":
		o.StopOn = value
	case "-v", "-verbose":
		levels := map[string]slog.Level{"0": slog.LevelError, "1": slog.LevelInfo, "2": slog.LevelDebug}
		level, known := levels[value]
		if !known {
			return fmt.Errorf("%s %s: it is 0, 1 or 2", arg, value)
		}
		o.level = level
	default:
		if strings.HasPrefix(arg, "-") {
			return fmt.Errorf("unexpected switch %s", arg)
		}
		o.Address = arg
	}
	return nil
}

// runOriginal is main under that name, with the exit status as its result (R9.66).
func runOriginal(args []string) int {
	l := newLine()
	o, err := parseOriginal(args)
	if len(args) == 0 || err == nil && o.help {
		_, _ = io.WriteString(os.Stdout, originalUsage)
		return 0
	}
	if err == nil {
		l.Bus = o.bus
		err = l.runPair(context.Background(), o.Options, o.level)
	}
	if err != nil {
		fmt.Fprintf(l.Err, "### %v\n", err)
		return 1
	}
	return 0
}
