package ordered

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// What was sent on an inlet is sent again on the outlet, so that the bus knows it again: by the id that the inlet gave it and
// the incarnation of that bus, or if these may be anybody's, by the member, its epoch and its count.

// fullEvery is how long we wait when the bus can hold no more bytes.
const fullEvery = 20 * time.Millisecond

// deliver delivers a message. Only the loss of the bus is a reason not to go on.
func (out *outlet) deliver(ctx context.Context, e *envelope.Envelope) error {
	m := &e.Message
	m.Flags = m.Flags&^forInlet | message.AllOrWait
	m.To, m.InReplyTo, m.ID.Network = 0, kbus.ID{}, e.Member
	if m.Extra == 0 { // its id is nobody's, so it gets one that the bus can know it by
		m.ID.Serial, m.Extra = 1<<31+uint32(e.Count), 1+uint32(e.Epoch%(1<<32-1))
	}
	err := out.send(ctx, m)
	switch {
	case err == nil:
		out.figures.delivered.Add(1)
		return nil
	case ctx.Err() != nil, errors.Is(err, kbus.ErrBusGone), errors.Is(err, kbus.ErrClosed):
		return fmt.Errorf("delivering %s: %w", m.Name, err)
	case errors.Is(err, kbus.ErrHeard):
		out.figures.copies.Add(1)
		return out.known(ctx, m)
	}
	out.figures.undelivered.Add(1)
	out.Log.Error("the outlet does not take a message, and its Listeners miss it", "name", m.Name, "id", m.ID, "why", err)
	return out.announceLoss(ctx, lostNews{Messages: 1})
}

// send returns when everybody has had room.
func (out *outlet) send(ctx context.Context, m *kbus.Message) error {
	for {
		sent, err := out.k.Send(ctx, m)
		switch {
		case sent.Pending:
			return out.k.WaitSent(ctx)
		case errors.Is(err, kbus.ErrUserQueueBytes), errors.Is(err, kbus.ErrBusQueueBytes):
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(fullEvery):
		}
	}
}

// known makes sure that a message that the bus knows has been delivered by us before.
func (out *outlet) known(ctx context.Context, m *kbus.Message) error {
	named, err := out.isNamed(ctx, m.ID.Network)
	switch {
	case err != nil:
		return err
	case named:
		return refuseName(out.k.Bus(), m.ID.Network)
	case !out.doubtful && !out.warned:
		out.warned = true
		out.Log.Warn("the outlet has heard a message before: somebody else carries to it, and its order is not that of the rest",
			"name", m.Name, "id", m.ID)
	}
	return nil
}
