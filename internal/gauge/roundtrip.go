package gauge

import (
	"fmt"
	"slices"
	"time"
)

// RoundTrips are the times of Requests, each from sending it to having its Reply. One is on its way at a time.
type RoundTrips struct {
	Plan   *Plan
	Times  []time.Duration // shortest first
	Mean   time.Duration
	CPU    time.Duration // processor time of all processes for one round trip
	Broker time.Duration // the part of the bus in it
}

// Quantile is the time that the given part of the round trips did not exceed: 0.5 is the median.
func (r *RoundTrips) Quantile(part float64) time.Duration {
	return r.Times[min(int(part*float64(len(r.Times))), len(r.Times)-1)]
}

// MeasureRoundTrips measures p.Count of them.
func MeasureRoundTrips(p *Plan, newClient func() Client) (*RoundTrips, error) {
	c, err := newCrew(p)
	if err != nil {
		return nil, err
	}
	defer c.dismiss()
	if err := c.hire(Replier, 1); err != nil {
		return nil, err
	}
	client := newClient()
	if err := client.Open(Requester, p); err != nil {
		return nil, err
	}
	d := newDraft(p.Size)
	times := make([]time.Duration, p.Count)
	var began spent
	var last time.Time
	for i := range p.WarmUp + p.Count {
		if i&(watchEvery-1) == 0 {
			p.watch(i)
		}
		if i == p.WarmUp {
			began = c.spent()
			last = began.at
		}
		answer, err := client.Request(d.number(uint64(i)))
		if err != nil {
			return nil, err
		}
		if err := check(answer, p.Size, uint64(i)); err != nil {
			return nil, fmt.Errorf("the answer is wrong: %w", err)
		}
		if i >= p.WarmUp {
			now := time.Now()
			times[i-p.WarmUp] = now.Sub(last)
			last = now
		}
	}
	elapsed, all, broker := c.spent().since(began)
	p.watch(p.WarmUp + p.Count)
	slices.Sort(times)
	n := time.Duration(p.Count)
	return &RoundTrips{Plan: p, Times: times, Mean: elapsed / n, CPU: all / n, Broker: broker / n}, nil
}
