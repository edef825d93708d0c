package ordered

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/store"
	"kbus/message"
)

// The outlet gives its Listeners what the stream has, in the order of the stream: all of them get a message, or it waits
// until they have room, for one that was passed over would have another order than the rest. It begins where it was
// left, if this is still the same life of the bus, and else with what is ordered from now on.

// lostName is the Announcement that tells Listeners of what they will never hear.
const lostName = "$.KBUS.Federation.Lost"

// point is how far a bowl has been heard. The stream drops a batch that is sent twice within two minutes; this drops it
// after any time, and what is left of an epoch when there has been a later one.
type point struct{ epoch, count uint64 }

// outlet is our Ksock on the bus where programs listen.
type outlet struct {
	*Bowl
	k           *kbus.Ksock
	incarnation uint32 // of that bus
	bookmark    *bookmark
	place       place
	doubtful    bool // whether the next message has been delivered is known to the bus alone
	warned      bool
}

// openOutlet opens it, and makes it one that carries: what this Limpet says a second time the bus drops.
func (b *Bowl) openOutlet(ctx context.Context) (*outlet, error) {
	k, err := b.Outlet(ctx)
	if err != nil {
		return nil, err
	}
	out := &outlet{Bowl: b, k: k}
	if out.incarnation, err = carry(k); err == nil {
		err = out.fit()
	}
	if err == nil {
		out.bookmark, err = openBookmark(b.Place, b.Log)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return out, nil
}

// fit has the bus take messages as long as those of any inlet, as far as its daemon allows.
func (out *outlet) fit() error {
	now, err := out.k.MaxMessageSize()
	if err != nil {
		return err
	}
	most, err := out.k.AbsMaxMessageSize()
	if err != nil {
		return err
	}
	if want := min(int64(most), out.nc.MaxPayload()); want > int64(now) {
		_, err = out.k.SetMaxMessageSize(uint32(want))
	}
	return err
}

func (out *outlet) close() {
	out.bookmark.close()
	out.k.Close()
}

// deliver gives the outlet what the stream has, until ctx ends or the bus is lost.
func (out *outlet) deliver(ctx context.Context, log *store.Store, begun func()) error {
	if err := out.begin(ctx, log); err != nil {
		return err
	}
	begun()
	return log.FollowLog(ctx, out.place.entry+1,
		func(e store.Entry) error { return out.entry(ctx, e) },
		func(first, n uint64) error { return out.gone(ctx, first, n) })
}

// doubtTries is how often a server is asked that seems to be behind the others, until we believe it.
const doubtTries = 40

// begin finds out where to begin.
func (out *outlet) begin(ctx context.Context, log *store.Store) error {
	tries := 0
	return out.insist(ctx, "the stream does not say yet where it is", func() error {
		state, err := log.State(ctx)
		if err != nil {
			return err
		}
		tries++
		left, known := out.bookmark.read()
		resumed := known && left.incarnation == out.incarnation && left.stream == state.Created.UnixNano()
		if resumed && left.entry > state.Last {
			if tries < doubtTries {
				return fmt.Errorf("it ends with entry %d, and the outlet has had %d", state.Last, left.entry)
			}
			resumed = false
			out.Log.Error("the stream has lost entries that the outlet has had; its order is not that of the rest any more",
				"last", state.Last, "had", left.entry)
		}
		if !resumed {
			left = place{incarnation: out.incarnation, stream: state.Created.UnixNano(), entry: state.Last}
		}
		if err := out.recall(ctx, log, state, left.entry); err != nil {
			if tries < doubtTries {
				return err
			}
			out.Log.Warn("what the stream may have twice cannot be told from what is new", "why", err)
		}
		out.place, out.doubtful = left, resumed
		out.reached(left.entry, left.messages)
		out.Log.Info("ordered from here", "federation", out.Federation, "id", out.ID, "epoch", out.office.Epoch(),
			"sequence", left.entry+1, "resumed", resumed)
		return nil
	})
}

// recall learns from the stream how far each bowl had come with its entry of that number. Which server answers is not
// known, so what it says counts only if it has that entry.
func (out *outlet) recall(ctx context.Context, log *store.Store, state store.State, upTo uint64) error {
	if upTo == 0 || upTo < state.First {
		return nil // there is nothing, or nothing any more
	}
	found := false
	err := log.Latest(ctx, upTo, func(e store.Entry) {
		found = found || e.Revision == upTo
		_ = out.open(e, func(e *envelope.Envelope) error { // what is no batch was none before
			out.advance(e)
			return nil
		})
	})
	if err == nil && !found {
		err = fmt.Errorf("a server has no entry %d yet", upTo)
	}
	return err
}

// reached notes how far the outlet has been served.
func (out *outlet) reached(entry uint64, messages uint32) {
	out.place.entry, out.place.messages = entry, messages
	out.bookmark.write(out.place)
	out.served.Store(entry)
}

// entry delivers the next entry of the stream, or what is left of it.
func (out *outlet) entry(ctx context.Context, e store.Entry) error {
	dealtWith, n := out.place.messages, uint32(0)
	err := out.open(e, func(e *envelope.Envelope) error {
		n++
		fresh := out.advance(e)
		if n <= dealtWith {
			return nil
		}
		if strings.HasPrefix(e.Name, ownPrefix) {
			out.refused.Add(1)
			fresh = false
		}
		if fresh {
			if err := out.say(ctx, e); err != nil {
				return err
			}
		}
		out.doubtful = false
		out.reached(out.place.entry, n)
		return nil
	})
	var nonsense *garbled
	switch {
	case errors.As(err, &nonsense):
		out.refused.Add(1)
		out.Log.Warn("dropped what is no batch of the bowl that it is from", "sequence", e.Revision, "bowl", e.Key, "why", err)
	case err != nil:
		return err
	}
	out.doubtful = false
	out.reached(e.Revision, 0)
	return nil
}

// open calls each for the envelopes of an entry, as long as they are from the bowl whose entry it is: NATS lets only
// that bowl write there.
func (out *outlet) open(e store.Entry, each func(*envelope.Envelope) error) error {
	return open(e.Value, func(v *envelope.Envelope) error {
		if v.Kind != envelope.Heard || key(v.Bowl) != e.Key {
			return &garbled{fmt.Errorf("it has an envelope of kind %d from bowl %d", v.Kind, v.Bowl)}
		}
		return each(v)
	})
}

// advance notes how far a bowl has come, and tells whether it had not come so far before.
func (out *outlet) advance(e *envelope.Envelope) bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	p := out.heard[e.Bowl]
	if e.Epoch < p.epoch || e.Epoch == p.epoch && e.Count <= p.count {
		return false
	}
	out.heard[e.Bowl] = point{e.Epoch, e.Count}
	return true
}

// fullEvery is how long we wait when the bus can hold no more bytes.
const fullEvery = 20 * time.Millisecond

// say delivers a message. Only the loss of the bus is a reason not to go on.
func (out *outlet) say(ctx context.Context, e *envelope.Envelope) error {
	m := &e.Message
	m.Flags = m.Flags&^forInlet | message.AllOrWait
	m.To, m.InReplyTo, m.ID.Network = 0, kbus.ID{}, e.Bowl
	if m.Extra == 0 { // its id is nobody's, so it gets one that the bus can know it by
		m.ID.Serial, m.Extra = 1<<31+uint32(e.Count), 1+uint32(e.Epoch%(1<<32-1))
	}
	err := out.send(ctx, m)
	switch {
	case err == nil:
		out.delivered.Add(1)
		return nil
	case ctx.Err() != nil, errors.Is(err, kbus.ErrBusGone), errors.Is(err, kbus.ErrClosed):
		return fmt.Errorf("delivering %s: %w", m.Name, err)
	case errors.Is(err, kbus.ErrHeard):
		out.copies.Add(1)
		return out.known(ctx, m)
	}
	out.undelivered.Add(1)
	out.Log.Error("the outlet does not take a message, and its Listeners miss it", "name", m.Name, "id", m.ID, "why", err)
	return out.tellLost(ctx, lostNews{Messages: 1})
}

// send returns when everybody has had room.
func (out *outlet) send(ctx context.Context, m *kbus.Message) error {
	for {
		_, err := out.k.Send(ctx, m)
		switch {
		case errors.Is(err, kbus.ErrPending):
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

// gone tells the Listeners what they will never hear.
func (out *outlet) gone(ctx context.Context, first, n uint64) error {
	out.lost.Add(n)
	out.Log.Error("the outlet was too far behind, and the stream has no more what comes next", "sequence", first, "lost", n)
	if err := out.tellLost(ctx, lostNews{Lost: n}); err != nil {
		return err
	}
	out.doubtful = false
	out.reached(first+n-1, 0)
	return nil
}

// lostNews is the data of the Announcement.
type lostNews struct {
	Stream   string `json:"stream"`
	Lost     uint64 `json:"lost"`               // entries of the stream
	Messages uint64 `json:"messages,omitempty"` // or messages of an entry that the bus did not take
}

func (out *outlet) tellLost(ctx context.Context, news lostNews) error {
	news.Stream = StreamName(out.Federation)
	data, err := json.Marshal(news)
	if err != nil {
		return err
	}
	m := kbus.Announcement(lostName, data)
	m.Flags |= message.AllOrWait
	return out.send(ctx, m)
}
