// Package ksock is KBUS as package gauge measures it: a client that does what any program would do with the Go library,
// and nothing cleverer.
package ksock

import (
	"context"
	"fmt"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/gauge"
)

// Client is one Ksock.
type Client struct {
	Bus     uint32        // number of the bus
	Options []kbus.Option // for Open

	k         *kbus.Ksock
	message   *kbus.Message // the same one each time, with new data
	pipe      *kbus.Pipe
	sent      uint64 // through the pipe
	consumers uint64
}

// readAhead is how many messages a consumer takes at once, if they are there.
const readAhead = 256

// Open opens the Ksock, and binds it to a name that is this measurement's own. A consumer's queue is made to hold a
// whole window: then no message is passed over, and how far ahead the producer may be is decided in one place for all
// buses.
func (c *Client) Open(role gauge.Role, p *gauge.Plan) (err error) {
	options := c.Options
	if role == gauge.Consumer {
		options = append(options[:len(options):len(options)], kbus.ReadAhead(readAhead))
	}
	if c.k, err = kbus.Open(context.Background(), kbus.BusNumber(c.Bus), options...); err != nil {
		return err
	}
	echo, stream := fmt.Sprintf("$.Bench.P%d.Echo", p.Session), fmt.Sprintf("$.Bench.P%d.Stream", p.Session)
	switch role {
	case gauge.Requester:
		c.message = kbus.Request(echo, "")
	case gauge.Replier:
		err = c.k.Bind(context.Background(), echo, kbus.Replier)
	case gauge.Producer:
		c.message, c.pipe, c.consumers = kbus.Announcement(stream, ""), c.k.Pipe(), uint64(p.Consumers)
	case gauge.Consumer:
		if _, err = c.k.Queue().SetLimit(context.Background(), uint32(p.Window)+1); err == nil {
			err = c.k.Bind(context.Background(), stream, kbus.Listener)
		}
	}
	return err
}

// Request is a Call.
func (c *Client) Request(data []byte) ([]byte, error) {
	c.message.Data = data
	reply, err := c.k.Call(context.Background(), c.message)
	if err != nil {
		return nil, err
	}
	return reply.Data, nil
}

// Serve is Serve.
func (c *Client) Serve() error {
	return c.k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply(m.Data)
	})
}

// Publish sends through a Pipe.
func (c *Client) Publish(data []byte) error {
	c.message.Data = data
	c.sent++
	return c.pipe.Send(context.Background(), c.message)
}

// Flush flushes the Pipe. The bus has said how many Listeners each message has reached; if that is fewer than there are
// consumers, it is an error. It may be more: others may listen to everything.
func (c *Client) Flush() error {
	totals, err := c.pipe.Flush(context.Background())
	if want := c.sent * c.consumers; err == nil && totals.Reached < want {
		err = fmt.Errorf("%d messages reached consumers %d times instead of %d at least", c.sent, totals.Reached, want)
	}
	return err
}

// Consume receives.
func (c *Client) Consume(take func(data []byte) (more bool, err error)) error {
	var m kbus.Message
	for more := true; more; {
		err := c.k.ReceiveInto(context.Background(), &m)
		if err != nil {
			return err
		}
		if more, err = take(m.Data); err != nil {
			return err
		}
	}
	return nil
}
