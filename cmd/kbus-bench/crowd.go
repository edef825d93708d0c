package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"kbus.example/kbus"
)

// A crowd is Ksocks that are connected, and bindings that nothing matches. It is there while others are measured: what
// a message costs should not depend on it. It uses no rings, because as many descriptors as these would take belong to
// no process.

// patterns are the kinds of bindings, by the name on the command line.
var patterns = map[string]string{"exact": "$.Crowd.B%d.Name", "percent": "$.Crowd.B%d.%%", "star": "$.Crowd.B%d.*"}

var errCrowd = errors.New("crowd takes KSOCKS, at least 1, BINDINGS, and exact, percent or star")

// crowd gathers, says so in one line, and stays until the end of what it reads.
func crowd(bus uint32, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return errCrowd
	}
	ksocks, err := strconv.Atoi(args[0])
	bindings, err2 := strconv.Atoi(args[1])
	pattern, ok := patterns[args[2]]
	if err != nil || err2 != nil || !ok || ksocks < 1 || bindings < 0 {
		return errCrowd
	}
	all := make([]*kbus.Ksock, ksocks)
	for i := range all {
		if all[i], err = kbus.Open(context.Background(), kbus.BusNumber(bus), kbus.Rings(false)); err != nil {
			return fmt.Errorf("ksock %d: %w", i+1, err)
		}
		defer all[i].Close()
	}
	for i := range bindings {
		if err := all[i%ksocks].Bind(context.Background(), fmt.Sprintf(pattern, i), kbus.Listener); err != nil {
			return fmt.Errorf("binding %d: %w", i+1, err)
		}
	}
	fmt.Fprintf(out, `{"ksocks":%d,"bindings":%d,"kind":%q}`+"\n", ksocks, bindings, args[2])
	_, err = io.Copy(io.Discard, in)
	return err
}
