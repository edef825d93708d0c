package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/metrics"
	"kbus.example/kbus/internal/web/stream"
	"kbus.example/kbus/internal/web/watch"
)

// The buses that the page shows. Programs make new buses, so the directory is looked at now and then; a bus that has gone
// stays, for it may come back, and the page says that it has gone.

const (
	mostBuses  = 256 // as many as a daemon can have
	rescanning = 2 * time.Second
)

type buses struct {
	*showing
	hub      *stream.Hub
	registry *prometheus.Registry
	began    time.Time

	mu  sync.Mutex
	all map[uint32]*watch.Bus
}

func newBuses(w *showing) *buses {
	b := &buses{showing: w, registry: prometheus.NewRegistry(), began: time.Now(), all: map[uint32]*watch.Bus{}}
	b.hub = stream.NewHub(w.viewers, b.opening)
	return b
}

// look finds the buses and has each looked at, until ctx ends.
func (b *buses) look(ctx context.Context, one bool) {
	ticks := time.NewTicker(rescanning)
	defer ticks.Stop()
	first := true
	for ctx.Err() == nil {
		found := b.Buses()
		if one || first && len(found) == 0 {
			found = []uint32{uint32(b.Bus)}
		}
		first = false
		for _, n := range found {
			b.add(ctx, n)
		}
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
	}
}

// add begins to look at a bus, if that has not been done.
func (b *buses) add(ctx context.Context, bus uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[bus] != nil || len(b.all) >= mostBuses {
		return
	}
	number, figures := kbus.BusNumber(bus), metrics.New(b.figures)
	b.registry.MustRegister(&metrics.Collector{Bus: figures, Number: number, Report: func() (metrics.Report, error) { return b.report(ctx, number) }})
	w := watch.New(number, b.hub, figures)
	b.all[bus] = w
	go b.lookAgain(ctx, number, func(ctx context.Context, o *kbus.Observer) error { return w.Look(ctx, o, b.data) }, w.Down)
}

// opening is what somebody is sent who begins to look.
func (b *buses) opening() []stream.Update {
	b.mu.Lock()
	list := make([]*watch.Bus, 0, len(b.all))
	numbers := slices.Sorted(maps.Keys(b.all))
	for _, n := range numbers {
		list = append(list, b.all[n])
	}
	b.mu.Unlock()
	updates := []stream.Update{stream.New("hello", struct {
		Version string   `json:"version"`
		Buses   []uint32 `json:"buses"`
		Data    int      `json:"data"`  // bytes of it that are shown
		Began   int64    `json:"began"` // milliseconds since 1970: when the numbers of messages began
	}{kbus.Version, numbers, max(b.data, 0), b.began.UnixMilli()}, nil, 0)}
	for _, w := range list {
		updates = append(updates, w.Opening()...)
	}
	return updates
}
