package main

import (
	"context"
	"iter"

	"kbus.example/kbus"
)

// flow hands the events of a tap to a loop that waits for other things as well. When there are no more, ended says why: that
// is the error of ctx, when that has ended.
func flow(ctx context.Context, events iter.Seq2[*kbus.Event, error]) (came <-chan *kbus.Event, ended <-chan error) {
	next, end := make(chan *kbus.Event), make(chan error, 1)
	go func() {
		for e, err := range events {
			if err != nil {
				end <- err
				return
			}
			select {
			case next <- e:
			case <-ctx.Done():
				end <- ctx.Err()
				return
			}
		}
	}()
	return next, end
}
