package kbus

import (
	"context"
	"iter"

	"kbus/internal/wire"
	"kbus/message"
)

// Receiving takes messages from the queue. A Request that is ours to reply to (WantsUsToReply) is owed a Reply from
// that moment on, whether or not it is looked at (R3.36).

// Next gives the next message, or nil if there is none. It does not wait.
func (k *Ksock) Next() (*Message, error) { return k.take(context.Background(), wire.OpNext, nil) }

// Receive waits for the next message. If ctx ends first, the error is that of ctx, and no message is lost: one that was
// on its way is returned instead, or comes with the next Receive.
func (k *Ksock) Receive(ctx context.Context) (*Message, error) {
	return k.take(ctx, wire.OpNextWait, nil)
}

// ReceiveInto is Receive into a message of the caller's, whose Data it overwrites or replaces. In a loop it allocates
// nothing, as long as the data fits and the names have been seen before.
func (k *Ksock) ReceiveInto(ctx context.Context, m *Message) error {
	_, err := k.take(ctx, wire.OpNextWait, m)
	return err
}

// Messages are all messages from now on, in order, for use with range. The last pair has no message: its error says why
// there are no more, which is that of ctx, ErrClosed or ErrBusGone.
func (k *Ksock) Messages(ctx context.Context) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for {
			m, err := k.Receive(ctx)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func (k *Ksock) take(ctx context.Context, op wire.Op, into *Message) (*Message, error) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.take(ctx, op, into)
}

// take takes one message; it is into, if that is given. What is in the inbox comes first.
func (c *conn) take(ctx context.Context, op wire.Op, into *Message) (*Message, error) {
	if m := c.inbox.popInto(into); m != nil {
		return m, nil
	}
	if c.front != nil {
		return c.takeFront(ctx, op, into, nil)
	}
	q := c.question(op)
	defer c.release(q)
	q.arg, q.into = c.readAhead, into
	return c.taken(q, into, c.ask(ctx, q))
}

// taken gives what a question for a message has brought. When the bus is lost, the inbox has what is still to be said.
func (c *conn) taken(q *question, into *Message, err error) (*Message, error) {
	if q.condition == message.ErrBusGone {
		if m := c.inbox.popInto(into); m != nil {
			return m, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return q.got, nil
}

// popInto is pop, and copies the message into the one given, if any.
func (i *inbox) popInto(into *Message) *Message {
	m := i.pop()
	if m == nil || into == nil {
		return m
	}
	return copyInto(into, m)
}

func copyInto(into, m *Message) *Message {
	into.Header, into.Name = m.Header, m.Name
	into.Data = append(into.Data[:0], m.Data...)
	return into
}

// kept counts the messages that have come and that nobody has received.
func (c *conn) kept() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := uint32(len(c.inbox.list))
	if c.front != nil {
		n += c.front.held()
	}
	return n
}
