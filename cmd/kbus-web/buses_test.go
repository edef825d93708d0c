package main

import (
	"context"
	"testing"
)

// All buses that a daemon can have are shown, also those that come when others have gone.
func TestAllBusesAreShown(t *testing.T) {
	ctx, over := context.WithCancel(t.Context())
	over() // to look at them is not needed
	b := newBuses(&showing{line: newLine()})
	for n := range uint32(300) {
		b.add(ctx, n)
	}
	if len(b.all) != 256 || b.all[255] == nil {
		t.Errorf("%d buses are shown", len(b.all))
	}
}
