package kbus_test

import (
	"context"
	"runtime"
	"testing"

	"kbus.example/kbus"
)

// A Call and its Reply cost a program what it is handed: a message and its bytes on each side, and the Reply that the
// handler makes. Nothing is allocated for carrying them.
func TestACallAllocatesItsMessages(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	onAll(t, func(w *world) {
		asker, replier := w.ksock(), w.bound(kbus.Replier, "$.R")
		ctx, cancel := context.WithCancel(w.Context())
		served := make(chan error, 1)
		go func() {
			served <- replier.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply(m.Data) })
		}()
		m := kbus.Request("$.R", "and some data")
		round := func() {
			if _, err := asker.Call(ctx, m); err != nil {
				w.Fatal(err)
			}
		}
		round()
		const rounds = 500
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			round()
		}
		runtime.ReadMemStats(&after)
		cancel()
		<-served
		n := float64(after.Mallocs-before.Mallocs) / rounds
		w.Logf("%.2f allocations a round trip", n)
		if n > 5.2 {
			w.Errorf("%.2f allocations a round trip, where five are the messages'", n)
		}
	})
}
