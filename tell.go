package kbus

import (
	"context"

	"kbus/internal/wire"
)

// Most operations are a number or a name to the bus and a number or some bytes back, at once.

// tell asks what is answered by a condition alone.
func (c *conn) tell(op wire.Op, arg uint32, text string) error {
	_, err := c.number(op, arg, text)
	return err
}

// number asks what is answered by a number.
func (c *conn) number(op wire.Op, arg uint32, text string) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(op)
	defer c.release(q)
	q.arg, q.text = arg, text
	err := c.ask(context.Background(), q)
	return q.number, err
}

// content asks what is answered by more than that.
func (c *conn) content(op wire.Op, text string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(op)
	defer c.release(q)
	q.text = text
	err := c.ask(context.Background(), q)
	return q.payload, err
}

// probe asks for nothing but an answer.
func (c *conn) probe(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpPoll)
	defer c.release(q)
	return c.ask(ctx, q)
}
