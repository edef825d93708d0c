package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// noBus is the commonest failure of all, and gets a line that says what to do.
type noBus struct {
	text  string
	cause error
}

func (n *noBus) Error() string { return n.text }
func (n *noBus) Unwrap() error { return n.cause }

// machineDir is where the machine's own daemon has its sockets: not the first place to look for a user who has a
// directory too.
const machineDir = "/run/kbus"

func (l *line) explainNoBus(bus uint32, err error) error {
	if !errors.Is(err, kbus.ErrNoSuchBus) {
		return err
	}
	text := fmt.Sprintf("no bus %d in %s: ", bus, l.Directory())
	start := "kbusd"
	if l.Dir != "" {
		start += " --dir " + l.Dir
	}
	switch there := l.Buses(); {
	case len(there) == 0 && os.Getenv("KBUS_DIR") == "" && l.Dir == "" && slices.Contains(cli.BusesIn(machineDir), bus):
		text += "is your own kbusd running? Start it with: " + start + ", or use that of the machine with: --dir " + machineDir
	case len(there) == 0 || slices.Contains(there, bus): // a socket that is there was left behind
		text += "is kbusd running? Start it with: " + start
	case len(there) == 1:
		text += fmt.Sprintf("there is only bus %d", there[0])
	default:
		text += "there are only buses " + strings.ReplaceAll(strings.Trim(fmt.Sprint(there), "[]"), " ", ", ")
	}
	return &noBus{text, err}
}
