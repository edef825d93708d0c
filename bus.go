package kbus

import (
	"context"

	"kbus/internal/bus"
)

// Bus is a bus inside this process, for tests and for programs that are alone. Its Ksocks behave as those of a daemon
// do in everything but speed; the same code answers them.
type Bus struct {
	house  *house
	number uint32
}

// BusOption changes how NewBus makes a bus.
type BusOption func(*bus.Config)

// QueueLimit is the queue limit of each new Ksock, in messages, instead of 100. See Ksock.SetMaxMessages.
func QueueLimit(maxMessages uint32) BusOption {
	return func(c *bus.Config) { c.MaxMessages = maxMessages }
}

// MessageLimit is the maximum message size, and the most that Ksock.SetMaxMessageSize may set it to, in bytes of the
// entire form (R2.6), instead of 409600.
func MessageLimit(maxMessageBytes uint32) BusOption {
	return func(c *bus.Config) { c.MaxMessageBytes, c.AbsMaxMessageBytes = maxMessageBytes, maxMessageBytes }
}

// NewBus makes a bus, number 0 of its own kind. It has no goroutine. Close it when it is no longer needed.
func NewBus(opts ...BusOption) *Bus {
	h := &house{links: map[*insideLink]struct{}{}}
	for _, o := range opts {
		o(&h.config)
	}
	h.add()
	return &Bus{house: h}
}

// Number is 0, or what Ksock.NewBus said.
func (b *Bus) Number() uint32 { return b.number }

// Other is another bus of the same kind, made by Ksock.NewBus. ErrNoSuchBus if there is none of that number.
func (b *Bus) Other(number uint32) (*Bus, error) {
	b.house.mu.Lock()
	defer b.house.mu.Unlock()
	if uint64(number) >= uint64(len(b.house.rooms)) {
		return nil, &Error{Op: "find bus", Err: ErrNoSuchBus}
	}
	return &Bus{b.house, number}, nil
}

// Open makes a Ksock on the bus. ErrBusGone after Close.
func (b *Bus) Open(opts ...Option) (*Ksock, error) {
	return b.place(settle(opts)).open(context.Background())
}

// Observe looks at the bus without a Ksock.
func (b *Bus) Observe() (*Observer, error) {
	return b.place(settle(nil)).observe(context.Background())
}

// Close ends this bus and all others of its kind, as the death of a daemon would: each Ksock gets a Status for each of
// its open Requests, and then ErrBusGone. It always succeeds, also a second time.
func (b *Bus) Close() error {
	b.house.close()
	return nil
}

func (b *Bus) place(s settings) *place {
	return &place{settings: s, reach: func(context.Context) (link, error) {
		l, err := b.house.enter(b.number)
		if err != nil {
			return nil, &Error{Op: "open", Err: err}
		}
		return l, nil
	}}
}
