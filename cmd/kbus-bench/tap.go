package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"kbus.example/kbus"
)

// A tap looks on while others are measured: one that reads all that it is shown, or one that never does. What a message
// costs should not depend on the second at all, and on the first next to nothing.

var errTap = errors.New("tap takes reads or stopped")

// tap begins to look, says so in one line, and stays until the end of what it reads.
func tap(bus uint32, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 || args[0] != "reads" && args[0] != "stopped" {
		return errTap
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	o, err := kbus.Observe(ctx, kbus.BusNumber(bus))
	if err != nil {
		return err
	}
	defer o.Close()
	events, err := o.Tap(ctx, kbus.TapFilter{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `{"tap":%q}`+"\n", args[0])
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, in)
		stop()
		ended <- err
	}()
	if args[0] == "reads" {
		for _, err := range events {
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return <-ended
}
