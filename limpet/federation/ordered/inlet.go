package ordered

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/store"
	"kbus/message"
)

// The inlet takes what programs send in two ways. An Announcement is sent and forgotten. A Request of the same name is
// answered when the stream has acknowledged the message, by the number of its batch in the stream; so a Call returns
// when the message is sure to be delivered everywhere. To Listeners both are Announcements.
//
// There is one batch of a bowl on its way at a time. With more of them the death of a leader could put a later one
// first. A batch whose end is not known is sent again, and the stream drops what it has. Meanwhile nothing is read; so
// the queue fills, and senders are told: EBUSY, or EAGAIN with ALL_OR_WAIT.

// queueMessages is the limit of the inlet's queue: what can wait while the stream has no leader.
const queueMessages = 1024

// listen has the Ksock get all that is to be ordered.
func (b *Bowl) listen(k *kbus.Ksock) error {
	if _, err := k.SetMaxMessages(queueMessages); err != nil {
		return err
	}
	if _, err := k.SetOnlyOnce(true); err != nil {
		return err
	}
	for _, name := range b.Names {
		if err := k.Bind(name, kbus.Replier); err != nil {
			return fmt.Errorf("taking Requests for %s on the inlet: %w", name, err)
		}
		if err := k.Bind(name, kbus.Listener); err != nil {
			return fmt.Errorf("listening to %s on the inlet: %w", name, err)
		}
	}
	return nil
}

// batch is what is collected, and whom to tell.
type batch struct {
	bytes []byte
	asked []*kbus.Message
	count int
}

// row is how far the bowl's messages have come.
type row struct {
	count   uint64        // of the last one
	carried *kbus.Message // did not fit into the last batch
}

// take orders what comes to the inlet.
func (b *Bowl) take(ctx context.Context, k *kbus.Ksock) error {
	limit, err := k.MaxMessageSize()
	if err != nil {
		return err
	}
	if room := b.nc.MaxPayload() - lengthBytes - envelope.HeaderBytes; int64(limit) > room {
		if _, err := k.SetMaxMessageSize(uint32(room)); err != nil { // so that who sends more is told, EMSGSIZE
			return err
		}
	}
	if err := b.listen(k); err != nil {
		return err
	}
	b.ready()
	r := &row{}
	for n := uint64(0); ; n++ {
		batch, err := b.collect(ctx, k, r)
		if err != nil {
			return err
		}
		sequence, err := b.order(ctx, batch, n)
		if err != nil {
			return err
		}
		b.ordered.Add(uint64(batch.count))
		for _, m := range batch.asked {
			if err := acknowledge(ctx, k, m, sequence); err != nil {
				return err
			}
		}
	}
}

// collect waits for one message, and takes what else there is and fits.
func (b *Bowl) collect(ctx context.Context, k *kbus.Ksock, r *row) (*batch, error) {
	collected := &batch{}
	m, err := r.carried, error(nil)
	if r.carried = nil; m == nil {
		m, err = k.Receive(ctx)
	}
	for ; err == nil && m != nil; m, err = k.Next() {
		if m.Flags.Has(kbus.Synthetic) || m.IsReply() {
			continue // of the inlet itself
		}
		if long := len(m.Name) + len(m.Data) + envelope.HeaderBytes + lengthBytes; collected.count > 0 &&
			(collected.count == maxBatch || len(collected.bytes)+long > maxBatchBytes) {
			r.carried = m
			break
		}
		r.count++
		b.add(collected, m, r.count)
	}
	return collected, err
}

func (b *Bowl) add(to *batch, m *kbus.Message, count uint64) {
	e := envelope.Envelope{Kind: envelope.Heard, Bowl: b.ID, Epoch: b.epoch, Count: count, Message: *m}
	e.ID.Network, e.OrigFrom = b.ID, kbus.Origin{Network: b.ID, Local: m.From}
	e.To, e.InReplyTo = 0, kbus.ID{}
	e.Flags &^= message.WantAReply | message.WantYouToReply | message.Urgent | message.AllOrFail | message.AllOrWait
	to.bytes = appendEnvelope(to.bytes, &e)
	to.count++
	if m.WantsUsToReply() {
		to.asked = append(to.asked, m)
	}
}

// order has the stream take a batch, however long that takes, and gives its number there.
func (b *Bowl) order(ctx context.Context, batch *batch, n uint64) (uint64, error) {
	if batch.count == 0 {
		return 0, nil
	}
	id := fmt.Sprintf("%d.%d.%d", b.ID, b.epoch, n)
	for said := false; ; said = true {
		attempt, done := context.WithTimeout(ctx, store.Patience/2)
		sequence, err := b.log.Append(attempt, b.key(), batch.bytes, id)
		done()
		if err == nil {
			return sequence, nil
		}
		if !said {
			b.Log.Warn("the stream does not take anything, trying on", "why", err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// acknowledge answers a Request. Who asked may have gone.
func acknowledge(ctx context.Context, k *kbus.Ksock, m *kbus.Message, sequence uint64) error {
	reply, err := kbus.ReplyTo(m, strconv.FormatUint(sequence, 10))
	if err != nil {
		return err
	}
	_, err = k.Send(ctx, reply)
	if errors.Is(err, kbus.ErrAddresseeGone) || errors.Is(err, kbus.ErrNotExpected) {
		return nil
	}
	return err
}
