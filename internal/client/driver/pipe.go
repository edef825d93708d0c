package driver

import (
	"context"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Pipes wait only when there is no way to go on. The errors here are the cause alone.

// MakeWay waits until one more message can be sent, and accepted.
func (c *Conn) MakeWay(ctx context.Context) error {
	if ctx.Err() != nil {
		return CanceledBy(ctx)
	}
	for {
		if c.core.Crowded() {
			c.flushPiped()
		}
		var err error
		switch way, upTo := c.core.Way(); way {
		case client.WayClear:
			return nil
		case client.WayEnded:
			return c.core.Ended()
		case client.WayRoom:
			err = c.seeThrough(ctx, upTo)
		case client.WayResults:
			err = c.AwaitResults(ctx, upTo)
		}
		if err != nil {
			return err
		}
	}
}

// seeThrough waits until none of the messages sent so far waits for room.
func (c *Conn) seeThrough(ctx context.Context, patient uint64) error {
	q := c.Question(wire.OpWaitSent)
	defer c.Release(q)
	err := c.Ask(ctx, q)
	if q.Answered && q.Condition == message.OK {
		c.core.SeenThrough(patient)
		return nil
	}
	return err.(*client.Failure).Err
}

// SendPiped puts a message on its way, or notes that it cannot travel.
func (c *Conn) SendPiped(ctx context.Context, p *client.Pipe, m *message.Message) error {
	if condition := c.core.CheckMessage(m); condition != message.OK {
		if err := c.AwaitResults(ctx, p.Last); err != nil { // what failed before it is told before it
			return err
		}
		c.core.Refuse(p, m, condition)
		return nil
	}
	full := c.core.Pipe(p, m)
	c.sendBody()
	if full {
		c.flushPiped()
	}
	return nil
}

func (c *Conn) flushPiped() {
	c.core.Collected()
	c.Flush()
}

// AwaitResults waits until so many results have come in all, or the connection has ended. The error is that of ctx.
func (c *Conn) AwaitResults(ctx context.Context, upTo uint64) error {
	q := c.core.WaitResults(upTo)
	c.flushPiped()
	if q == nil {
		return nil
	}
	defer c.core.EndWait(c.tagged(q))
	if c.Await(ctx, q); !q.Answered {
		return CanceledBy(ctx)
	}
	return nil
}
