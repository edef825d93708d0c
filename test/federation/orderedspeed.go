package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Announcements of 32 bytes from the inlet of one member to the outlet of another, as many as there may be, beside what a
// plain client of NATS gets acknowledged by a stream of the same three servers, in batches of as many messages: each its
// own, or all in one as an ordered member sends them.

const (
	orderedBatch  = 512  // as many as a member orders at once
	orderedWindow = 1000 // as many as may wait on an inlet, nearly
	orderedBytes  = 4 + 104 + len("$.Speed") + speedBytes
)

func orderedSpeed(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.startOrdered(); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	w, err := h.busWay(ctx, 1, 0, orderedWindow)
	if err != nil {
		return err
	}
	if _, err := w.throughput(orderedBatch); err != nil { // everything is in its place now
		return err
	}
	ordered, err := w.throughput(pick(p, 200_000, 40_000))
	if err != nil {
		return err
	}
	fmt.Printf("    ordered:    %.0f messages a second\n", ordered)
	for _, plain := range []struct {
		about           string
		messages, bytes int
	}{
		{"one by one", orderedBatch, speedBytes},
		{"in one", 1, orderedBatch * orderedBytes},
	} {
		rate, err := h.acknowledged(ctx, pick(p, 300, 60), plain.messages, plain.bytes)
		if err != nil {
			return err
		}
		fmt.Printf("    plain JetStream, %d messages a batch, %s: %.0f messages a second; ordered to that: times %.2f\n",
			orderedBatch, plain.about, rate, ordered/rate)
	}
	return nil
}

// acknowledged publishes batches to a stream, each when all of the one before is acknowledged, and gives messages a
// second, as many to a batch as a member orders at once.
func (h *testbed) acknowledged(ctx context.Context, batches, messages, bytes int) (float64, error) {
	in, err := h.dial(1)
	if err != nil {
		return 0, err
	}
	nc, err := nats.Connect("nats://"+h.members[0].address()+":4222", nats.SetCustomDialer(in))
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	js, err := nc.JetStream(nats.PublishAsyncMaxPending(2 * orderedBatch))
	if err != nil {
		return 0, err
	}
	_, err = js.AddStream(&nats.StreamConfig{Name: "plain", Subjects: []string{"plain"}, Replicas: 3}, nats.Context(ctx))
	if err != nil {
		return 0, err
	}
	data := make([]byte, bytes)
	start := time.Now()
	for range batches {
		acks := make([]nats.PubAckFuture, messages)
		for i := range acks {
			if acks[i], err = js.PublishAsync("plain", data); err != nil {
				return 0, err
			}
		}
		for _, ack := range acks {
			select {
			case <-ack.Ok():
			case err := <-ack.Err():
				return 0, err
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	}
	return float64(batches*orderedBatch) / time.Since(start).Seconds(), nil
}
