package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kbus.example/kbus"
)

// How long it takes from starting a daemon until a message has gone through it.

// starts is how often the daemon is started.
const starts = 15

// firstMessage measures how long it takes from starting a daemon until a message has gone through it: the median of
// some starts.
func firstMessage(work string, out io.Writer) error {
	var times []time.Duration
	for range starts {
		s, err := newSite(work, false)
		if err != nil {
			return err
		}
		took, err := startOnce(s)
		s.close()
		if err != nil {
			return err
		}
		times = append(times, took)
	}
	slices.Sort(times)
	micros := func(d time.Duration) float64 { return float64(d.Microseconds()) }
	return writeLine(out, &figure{Mode: "unpinned", Peer: "kbus", Test: "first", Count: starts, Min: micros(times[0]),
		Median: micros(times[starts/2]), P99: micros(times[starts-1])})
}

func startOnce(s *site) (time.Duration, error) {
	dir := filepath.Join(s.dir, "run")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	s.peer = "kbus"
	began := time.Now()
	if _, err := s.start(nil, filepath.Join(s.work, "..", "kbusd"), "--dir", dir); err != nil {
		return 0, err
	}
	k, err := kbus.Open(context.Background(), 0, kbus.Dir(dir))
	for ; err != nil; k, err = kbus.Open(context.Background(), 0, kbus.Dir(dir)) {
		if time.Since(began) > 5*time.Second {
			return 0, err
		}
		time.Sleep(500 * time.Microsecond)
	}
	defer k.Close()
	ctx := context.Background()
	if err = k.Bind(ctx, "$.First", kbus.Listener); err == nil {
		_, err = k.Send(ctx, kbus.Announcement("$.First", ""))
	}
	if err == nil {
		_, err = k.Receive(ctx)
	}
	return time.Since(began), err
}
