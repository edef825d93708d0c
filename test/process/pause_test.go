package process

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kbus.example/kbus"
)

// How long is the pause that clients could notice? Somebody sends to itself and receives, again and again, and the longest
// such round trip within an upgrade is the pause. Nothing is asserted; `make bench-upgrade` prints it.

var pausesFlag = flag.Int("process.pauses", 3, "upgrades in which the pause is measured")

func TestUpgradePause(t *testing.T) {
	const clients, queued, length = 100, 10_000, 1000
	onBoth(t, func(t *testing.T, rings bool) {
		d := startDaemon(t)
		d.rings = rings
		teller := d.open()
		for i := range clients {
			k := d.open()
			must(t, k.Bind(t.Context(), fmt.Sprint("$.Queue.", i), kbus.Listener))
			_, err := k.Queue().SetLimit(t.Context(), queued)
			must(t, err)
		}
		for i := range queued {
			_, err := teller.Send(t.Context(), &kbus.Message{Name: fmt.Sprint("$.Queue.", i%clients), Data: make([]byte, length)})
			must(t, err)
		}
		var longest atomic.Int64
		stop, stopped := make(chan struct{}), make(chan error)
		go func() { stopped <- ping(t.Context(), d.open(), &longest, stop) }()
		var pauses []time.Duration
		for range *pausesFlag {
			longest.Store(0)
			must(t, d.upgrade())
			pauses = append(pauses, time.Duration(longest.Load()))
		}
		close(stop)
		must(t, <-stopped)
		slices.Sort(pauses)
		publish(t, fmt.Sprintf("an upgrade with %d clients and %d queued messages, %s", clients, queued, onOff(rings)),
			"pause of %d upgrades: p50 %v, worst %v", len(pauses), pauses[len(pauses)/2].Round(10*time.Microsecond),
			pauses[len(pauses)-1].Round(10*time.Microsecond))
	})
}

// ping sends to itself and receives until it shall stop.
func ping(ctx context.Context, k *kbus.Ksock, longest *atomic.Int64, stop <-chan struct{}) error {

	if err := k.Bind(ctx, "$.Ping", kbus.Listener); err != nil {
		return err
	}
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		began := time.Now()
		if _, err := k.Send(ctx, &kbus.Message{Name: "$.Ping"}); err != nil {
			return err
		}
		if _, err := k.Receive(ctx); err != nil {
			return err
		}
		if took := int64(time.Since(began)); took > longest.Load() {
			longest.Store(took)
		}
	}
}
