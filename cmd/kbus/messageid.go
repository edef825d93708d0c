package main

import (
	"fmt"
	"strconv"
	"strings"

	"kbus.example/kbus/cmd/internal/cli"
)

// Ids of messages, as a person gives them.

// parseID reads an id as it is printed: network:serial, with or without brackets, or the serial alone.
func parseID(text string) (string, error) {
	network, serial, both := strings.Cut(strings.Trim(text, "[]"), ":")
	if !both {
		network, serial = "0", network
	}
	n, err := strconv.ParseUint(network, 10, 32)
	s, err2 := strconv.ParseUint(serial, 10, 32)
	if err != nil || err2 != nil {
		return "", cli.Misused(fmt.Sprintf("%q is no id of a message: they look like 0:42", text))
	}
	return fmt.Sprintf("%d:%d", n, s), nil
}
