// Command nats measures a NATS server, core NATS without persistence, with its Go client over TCP. NATS_URL says where
// the server is.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/internal/gauge"
)

const (
	echo   = "bench.echo"
	stream = "bench.stream"

	patience = 5 * time.Second
	forever  = 24 * time.Hour
)

type client struct {
	conn         *nats.Conn
	subscription *nats.Subscription
}

func (c *client) Open(role gauge.Role, _ *gauge.Plan) (err error) {
	if c.conn, err = nats.Connect(os.Getenv("NATS_URL"), nats.NoReconnect()); err != nil {
		return err
	}
	switch role {
	case gauge.Replier:
		c.subscription, err = c.conn.SubscribeSync(echo)
	case gauge.Consumer:
		c.subscription, err = c.conn.SubscribeSync(stream)
	}
	if err == nil && c.subscription != nil {
		err = c.subscription.SetPendingLimits(-1, -1) // the window is the limit
	}
	if err != nil {
		return err
	}
	return c.conn.Flush() // comes back when the server has the subscription
}

func (c *client) Request(data []byte) ([]byte, error) {
	answer, err := c.conn.Request(echo, data, patience)
	if err != nil {
		return nil, err
	}
	return answer.Data, nil
}

func (c *client) Serve() error {
	for {
		m, err := c.subscription.NextMsg(forever)
		if err == nil {
			err = m.Respond(m.Data)
		}
		if err != nil {
			return err
		}
	}
}

func (c *client) Publish(data []byte) error { return c.conn.Publish(stream, data) }

func (c *client) Flush() error { return c.conn.Flush() }

func (c *client) Consume(take func(data []byte) (more bool, err error)) error {
	for more := true; more; {
		m, err := c.subscription.NextMsg(forever)
		if err != nil {
			return err
		}
		if more, err = take(m.Data); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	err := gauge.Command(os.Args[1:], os.Stdout, "nats", func() gauge.Client { return &client{} })
	if err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}
