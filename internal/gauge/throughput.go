package gauge

import "time"

// Throughput is how long it took to get messages from one producer to all consumers: until the slowest consumer had the
// last one.
type Throughput struct {
	Plan    *Plan
	Elapsed time.Duration
	CPU     time.Duration // processor time of all processes for all messages
	Broker  time.Duration // the part of the bus in it
}

// Messages is how many messages the producer got through in a second.
func (t *Throughput) Messages() float64 { return float64(t.Plan.Count) / t.Elapsed.Seconds() }

// Deliveries is how many messages all consumers together received in a second.
func (t *Throughput) Deliveries() float64 { return t.Messages() * float64(t.Plan.Consumers) }

// MeasureThroughput has p.Count messages of p.Size bytes sent to p.Consumers consumers.
//
// The producer is never more than p.Window messages ahead of the slowest consumer; then it waits until half of them
// are gone. Many buses have no such thing of their own and drop messages or clients instead; with a window from outside
// all of them deliver everything, and no figure is the better for a loss.
func MeasureThroughput(p *Plan, newClient func() Client) (*Throughput, error) {
	c, err := newCrew(p)
	if err != nil {
		return nil, err
	}
	defer c.dismiss()
	if err := c.hire(Consumer, p.Consumers); err != nil {
		return nil, err
	}
	client := newClient()
	if err := client.Open(Producer, p); err != nil {
		return nil, err
	}
	d := newDraft(p.Size)
	w := window{crew: c, client: client}
	var began spent
	for i := range p.total() {
		if i&(watchEvery-1) == 0 {
			p.watch(int(i))
		}
		if i == uint64(p.WarmUp) {
			if err := w.drain(i); err != nil {
				return nil, err
			}
			began = c.spent()
		}
		if err := w.open(i); err != nil {
			return nil, err
		}
		if err := client.Publish(d.number(i)); err != nil {
			return nil, err
		}
	}
	if err := w.drain(p.total()); err != nil {
		return nil, err
	}
	elapsed, all, broker := c.spent().since(began)
	p.watch(int(p.total()))
	return &Throughput{Plan: p, Elapsed: elapsed, CPU: all, Broker: broker}, nil
}

// window holds the producer back.
type window struct {
	crew   *crew
	client Client
	seen   uint64 // messages that every consumer had when we last looked
}

// open waits until message n may be sent. Consumers' counters are looked at only when it could be too early, since
// looking takes them away from the consumers.
func (w *window) open(n uint64) error {
	size := uint64(w.crew.plan.Window)
	if n-w.seen < size {
		return nil
	}
	if w.seen = w.crew.page.slowest(w.crew.plan.Consumers); n-w.seen < size {
		return nil
	}
	return w.drain(n - size/2)
}

// drain sends what has been collected, and waits until every consumer has n messages.
func (w *window) drain(n uint64) error {
	if err := w.client.Flush(); err != nil {
		return err
	}
	return w.crew.page.waitGot(w.crew.plan.Consumers, n)
}
