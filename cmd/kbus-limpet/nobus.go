package main

import (
	"errors"
	"fmt"

	"kbus"
)

// noBus is the commonest failure of all, and gets a line that says what to do.
type noBus struct {
	text  string
	cause error
}

func (n *noBus) Error() string { return n.text }
func (n *noBus) Unwrap() error { return n.cause }

func (l *line) explainNoBus(err error) error {
	if !errors.Is(err, kbus.ErrNoSuchBus) {
		return err
	}
	start := "kbusd"
	if l.dir != "" {
		start += " --dir " + l.dir
	}
	text := fmt.Sprintf("no bus %d in %s: is kbusd running? Start it with: %s", l.bus, l.directory(), start)
	return &noBus{text, err}
}
