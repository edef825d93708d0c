package kbus

import (
	"context"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/machine"
	"kbus.example/kbus/internal/transport"
)

// Bus is a bus inside this process, for tests and for programs that are alone. Its Ksocks behave as those of a daemon
// do in everything but speed; the same code answers them.
type Bus struct {
	buses  *transport.Buses
	number BusNumber
}

// BusOption changes how NewBus makes a bus.
type BusOption func(*bus.Config)

// QueueLimit is the queue limit of each new Ksock, in messages, instead of 100. See Queue.SetLimit.
func QueueLimit(maxMessages uint32) BusOption {
	return func(c *bus.Config) { c.MaxMessages = maxMessages }
}

// MessageLimit is the maximum message size, and the most that Settings.SetMaxMessageBytes may set it to, in bytes
// of the entire form, instead of 409600.
func MessageLimit(maxMessageBytes uint32) BusOption {
	return func(c *bus.Config) { c.MaxMessageBytes, c.AbsMaxMessageBytes = maxMessageBytes, maxMessageBytes }
}

// NewBus makes a bus, number 0 of its own kind. It has no goroutine. Close it when it is no longer needed.
func NewBus(opts ...BusOption) *Bus {
	var config bus.Config
	for _, o := range opts {
		o(&config)
	}
	return &Bus{buses: transport.NewBuses(config, machine.SinceBoot)}
}

// Number is 0, or what Settings.AddBus said.
func (b *Bus) Number() BusNumber { return b.number }

// Other is another bus of the same kind, made by Settings.AddBus. ErrNoSuchBus if there is none of that number.
func (b *Bus) Other(number BusNumber) (*Bus, error) {
	if !b.buses.Has(uint32(number)) {
		return nil, &Error{Op: "find bus", Err: ErrNoSuchBus}
	}
	return &Bus{b.buses, number}, nil
}

// Open makes a Ksock on the bus. ErrBusGone after Close.
func (b *Bus) Open(ctx context.Context, opts ...Option) (*Ksock, error) {
	return b.endpoint(resolve(opts)).open(ctx)
}

// Observe looks at the bus without a Ksock.
func (b *Bus) Observe(ctx context.Context) (*Observer, error) {
	return b.endpoint(resolve(nil)).observe(ctx)
}

// Close ends this bus and all others of its kind, as the death of a daemon would: each Ksock gets a Status for each of
// its open Requests, and then ErrBusGone. It always succeeds, also a second time.
func (b *Bus) Close() error {
	b.buses.Close()
	return nil
}

func (b *Bus) endpoint(s settings) *endpoint {
	return &endpoint{settings: s, reach: func(context.Context) (transport.Link, error) {
		l, err := b.buses.Connect(uint32(b.number))
		if err != nil {
			return nil, &Error{Op: "open", Err: err}
		}
		return l, nil
	}}
}
