package ordered

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/message"
)

// The inlet takes what programs send in two ways. An Announcement is sent and forgotten. A Request of the same name is
// answered when the stream has acknowledged the message, by the number of its batch in the stream; so a Call returns
// when the message is sure to be delivered everywhere. To Listeners both are Announcements.
//
// There is one batch of a member on its way at a time. With more of them the death of a leader could put a later one
// first. A batch whose end is not known is sent again, and the stream drops what it has. Meanwhile nothing is read; so
// the queue fills, and senders get errors: EBUSY, or EAGAIN with ALL_OR_WAIT.

// queueMessages is the limit of the inlet's queue: what can wait while the stream has no leader.
const queueMessages = 1024

// ownPrefix begins names that are each bus's own.
const ownPrefix = "$.KBUS."

// inlet is our Ksock on the bus where programs send.
type inlet struct {
	*Member
	k           *kbus.Ksock
	incarnation uint32        // of that bus
	count       uint64        // messages that have been taken
	last        uint32        // the highest serial number among them
	carried     *kbus.Message // did not fit into the last batch
}

// openInlet opens it, and has it get all that is to be ordered from now on, and nobody else: a second Limpet would not
// be given the Requests.
func (b *Member) openInlet(ctx context.Context) (*inlet, error) {
	k, err := b.Inlet(ctx)
	if err != nil {
		return nil, err
	}
	in := &inlet{Member: b, k: k}
	if in.incarnation, err = carry(ctx, k); err == nil {
		err = in.listen(ctx)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return in, nil
}

func (in *inlet) listen(ctx context.Context) error {
	k := in.k
	if _, err := k.Queue().SetLimit(ctx, queueMessages); err != nil {
		return err
	}
	if _, err := k.Queue().SetOnlyOnce(ctx, true); err != nil {
		return err
	}
	for _, name := range in.Names {
		err := k.Bind(ctx, name, kbus.Replier)
		if errors.Is(err, kbus.ErrReplierBound) {
			return fmt.Errorf("somebody takes Requests for %s on bus %d already; is it the inlet of another Limpet? "+
				"`kbus list` shows who is on it: %w", name, k.Bus(), err)
		}
		if err != nil {
			return fmt.Errorf("taking Requests for %s on the inlet: %w", name, err)
		}
		if err := k.Bind(ctx, name, kbus.Listener); err != nil {
			return fmt.Errorf("listening to %s on the inlet: %w", name, err)
		}
	}
	return nil
}

// batch is what is collected, and the Requests that wait for it.
type batch struct {
	bytes    []byte
	requests []*kbus.Message
	count    int
}

// run orders what comes to the inlet.
func (in *inlet) run(ctx context.Context, stream *store.Stream) error {
	for n := uint64(0); ; n++ {
		batch, err := in.collect(ctx)
		if err != nil {
			return err
		}
		if batch.count == 0 {
			continue
		}
		sequence, err := in.order(ctx, stream, batch, n)
		if err != nil {
			return err
		}
		// What the stream has from an epoch that is over may be behind what it has from a later one, and then nobody delivers
		// it. So nothing is promised before it is sure that this epoch is not.
		if err := in.keeper.Confirm(ctx); err != nil {
			return err
		}
		in.figures.ordered.Add(uint64(batch.count))
		for _, m := range batch.requests {
			if err := in.acknowledge(ctx, m, sequence); err != nil {
				return err
			}
		}
	}
}

// collect waits for one message, and takes what else there is and fits.
func (in *inlet) collect(ctx context.Context) (*batch, error) {
	collected := &batch{}
	m, err := in.carried, error(nil)
	if in.carried = nil; m == nil {
		m, err = in.k.Receive(ctx)
	}
	for ; err == nil && m != nil; m, err = in.k.Next(ctx) {
		if m.Flags.Has(kbus.Synthetic) || m.IsReply() {
			continue // of the inlet itself
		}
		if strings.HasPrefix(m.Name, ownPrefix) {
			if err := in.decline(ctx, m); err != nil {
				return nil, err
			}
			continue
		}
		long := len(m.Name) + len(m.Data) + envelope.HeaderBytes + lengthBytes
		if long > in.most { // sent before the way was known
			if err := in.tooLong(ctx, m); err != nil {
				return nil, err
			}
			continue
		}
		if collected.count > 0 && (collected.count == maxBatch || len(collected.bytes)+long > min(maxBatchBytes, in.most)) {
			in.carried = m
			break
		}
		in.add(collected, m)
	}
	return collected, err
}

func (in *inlet) add(to *batch, m *kbus.Message) {
	in.count++
	e := envelope.Envelope{
		Kind: envelope.Broadcast, Member: in.ID, Epoch: in.keeper.Epoch(), Count: in.count, Message: *m,
	}
	e.Extra = in.incarnationOf(m.ID)
	e.ID.Network, e.OrigFrom = in.ID, kbus.Origin{Network: in.ID, Local: uint32(m.From)}
	e.To, e.InReplyTo = 0, kbus.ID{}
	e.Flags &^= forInlet
	to.bytes = appendEnvelope(to.bytes, &e)
	to.count++
	if m.WantsUsToReply() {
		to.requests = append(to.requests, m)
	}
}

// forInlet are flags that were for the inlet alone.
const forInlet = message.WantAReply | message.WantYouToReply | message.Urgent | message.AllOrFail | message.AllOrWait

// lateBy is how far a message may be behind later ones for outlets to be sure that they have not had it: they remember
// as many again.
const lateBy = message.ReplayWindowSize / 2

// incarnationOf is the incarnation of the bus that gave a message its id, by which the two together are like no others. It is 0
// if the id comes from elsewhere, and may be anybody's, or if the message has waited for so long, ALL_OR_WAIT, that the
// outlets would not know it again; then they give it a number themselves.
func (in *inlet) incarnationOf(id kbus.ID) uint32 {
	if id.Network != 0 {
		return 0
	}
	ahead := int32(id.Serial - in.last)
	if ahead > 0 || in.last == 0 {
		in.last = id.Serial
	} else if ahead <= -lateBy {
		return 0
	}
	return in.incarnation
}

// order has the stream take a batch, however long that takes, and gives its number there.
func (in *inlet) order(ctx context.Context, stream *store.Stream, batch *batch, n uint64) (uint64, error) {
	id := fmt.Sprintf("%d.%d.%d", in.ID, in.keeper.Epoch(), n)
	var last retry.Reason
	for {
		attempt, done := context.WithTimeout(ctx, store.Patience/2)
		sequence, err := stream.Append(attempt, key(in.ID), batch.bytes, id)
		done()
		if err == nil {
			return sequence, nil
		}
		if last.Changed(err) {
			in.Log.Warn("the stream does not take anything, trying on", "why", err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// acknowledge answers a Request.
func (in *inlet) acknowledge(ctx context.Context, m *kbus.Message, sequence uint64) error {
	reply, err := m.Reply([]byte(strconv.FormatUint(sequence, 10)))
	if err != nil {
		return err
	}
	return in.answer(ctx, reply)
}

// decline answers a Request for a name that is each bus's own as the bus itself would, if we were not bound to all names.
func (in *inlet) decline(ctx context.Context, m *kbus.Message) error {
	if !m.WantsUsToReply() {
		return nil
	}
	reply, err := m.Reply(nil)
	if err != nil {
		return err
	}
	reply.Name = string(kbus.ErrRemoteError) + strconv.Itoa(int(kbus.ErrNoReplier.Errno()))
	return in.answer(ctx, reply)
}

// tooLong refuses a message that will not be ordered.
func (in *inlet) tooLong(ctx context.Context, m *kbus.Message) error {
	why := fmt.Sprintf("too long to be ordered: it has %d bytes of name and data, and the way to the stream carries %d",
		len(m.Name)+len(m.Data), in.fits())
	if !m.WantsUsToReply() {
		in.figures.lost.Add(1)
		in.Log.Error("a message is lost: "+why, "name", m.Name, "from", m.From)
		return nil
	}
	reply, err := m.Reply([]byte(why))
	if err != nil {
		return err
	}
	reply.Name = string(kbus.ErrRemoteError) + strconv.Itoa(int(kbus.ErrMessageTooLong.Errno()))
	return in.answer(ctx, reply)
}

// answer sends a Reply. The Requester may have gone.
func (in *inlet) answer(ctx context.Context, reply *kbus.Message) error {
	_, err := in.k.Send(ctx, reply)
	if errors.Is(err, kbus.ErrAddresseeGone) || errors.Is(err, kbus.ErrNotExpected) {
		return nil
	}
	return err
}
