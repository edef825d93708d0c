package kbus

import (
	"context"
	"iter"

	"kbus.example/kbus/internal/wire"
)

// Receiving takes messages from the queue. A Request that is ours to reply to (WantsUsToReply) is owed a Reply from
// that moment on, whether or not it is looked at.

// Next gives the next message, or nil if there is none. It does not wait for one; ctx is only for a bus that does not
// answer.
func (k *Ksock) Next(ctx context.Context) (*Message, error) {
	return k.take(ctx, wire.OpNext, nil)
}

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

// InPlace waits for the next message, as Receive does, and calls use with it. The message is for reading, and only until
// use returns: its Data may be memory that is shared with others and cannot be written to, so that a program that tries
// crashes; what is to be kept or changed must be copied. If the Ksock is closed meanwhile, Data can
// still be read, but the bus may use the place again. The error is that of use, or as from Receive.
//
// It pays for messages of 32 KiB and more from a daemon, which are not copied then. With others it is like ReceiveInto.
func (k *Ksock) InPlace(ctx context.Context, use func(*Message) error) error {
	c := k.conn.Load()
	p, err := c.LookAt(ctx)
	if err != nil {
		return publicError(err)
	}
	defer c.LookedAt(p)
	return use(&p.Message)
}

func (k *Ksock) take(ctx context.Context, op wire.Op, into *Message) (*Message, error) {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	return c.take(ctx, op, into)
}

// take takes one message; it is into, if that is given.
func (c *conn) take(ctx context.Context, op wire.Op, into *Message) (*Message, error) {
	m, err := c.Take(ctx, op, into)
	return m, publicError(err)
}
