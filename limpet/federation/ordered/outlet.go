package ordered

import (
	"context"
	"errors"
	"fmt"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/store"
	"kbus/message"
)

// place is how far a bowl has been heard. The stream drops a batch that is sent twice within two minutes; this drops it
// after any time.
type place struct{ epoch, count uint64 }

// deliver gives the outlet what the stream has, from now on, in the order of the stream. All Listeners get a message,
// or it waits until they have room: one that was passed over would have another order than the rest.
func (b *Bowl) deliver(ctx context.Context, k *kbus.Ksock, begun func()) error {
	places := map[uint32]place{}
	each := func(e store.Entry) error {
		err := open(e.Value, func(e *envelope.Envelope) error {
			p := places[e.Bowl]
			if e.Epoch < p.epoch || e.Epoch == p.epoch && e.Count <= p.count {
				return nil
			}
			places[e.Bowl] = place{e.Epoch, e.Count}
			return b.say(ctx, k, e)
		})
		var lost kbus.Condition
		if err == nil || errors.As(err, &lost) || ctx.Err() != nil {
			return err
		}
		b.Log.Warn("an entry of the stream is no batch", "sequence", e.Revision, "key", e.Key, "why", err)
		return nil
	}
	return b.log.FollowNew(ctx, each, func(next uint64) {
		b.Log.Info("ordered from here", "federation", b.Federation, "id", b.ID, "sequence", next)
		begun()
	})
}

func (b *Bowl) say(ctx context.Context, k *kbus.Ksock, e *envelope.Envelope) error {
	m := &e.Message
	m.Flags |= message.AllOrWait
	_, err := k.Send(ctx, m)
	if errors.Is(err, kbus.ErrPending) {
		err = k.WaitSent(ctx)
	}
	if err != nil {
		return fmt.Errorf("delivering %s: %w", m.Name, err)
	}
	b.delivered.Add(1)
	return nil
}
