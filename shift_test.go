package kbus_test

import (
	"context"
	"runtime"
	"testing"

	"kbus"
)

// Who waits in the kernel again and again passes through the scheduler now and then.
func TestTurns(t *testing.T) {
	d := startDaemon(t, tempDir(t))
	for _, rings := range []bool{true, false} {
		replier, err := d.open(kbus.Rings(rings))
		if err != nil {
			t.Fatal(err)
		}
		asker, err := d.open(kbus.Rings(rings))
		if err != nil {
			t.Fatal(err)
		}
		if err := replier.Bind("$.Echo", kbus.Replier); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() {
			served <- replier.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
				return kbus.ReplyTo(m, m.Data)
			})
		}()
		turns, begun := 0, kbus.TurnBegun(asker)
		for range 100_000 {
			if turns == 3 {
				break
			}
			if _, err := asker.Call(t.Context(), kbus.Request("$.Echo", "hello")); err != nil {
				t.Fatal(err)
			}
			if now := kbus.TurnBegun(asker); now != begun {
				turns, begun = turns+1, now
			}
		}
		if turns < 3 {
			t.Errorf("rings %v: so many questions, and %d turns", rings, turns)
		}
		stop()
		<-served
		replier.Close()
		asker.Close()
	}
}

// With one processor, others have theirs at the end of a turn.
func TestTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	done := make(chan struct{})
	go close(done)
	kbus.Turn()
	select {
	case <-done:
	default:
		t.Error("the scheduler has not been passed through")
	}
}
