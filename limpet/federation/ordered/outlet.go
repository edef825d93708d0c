package ordered

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/store"
)

// The outlet gives its Listeners what the stream has, in the order of the stream: all of them get a message, or it waits
// until they have room, for one that was passed over would have another order than the rest. It begins where it was
// left, if this is still the same life of the bus, and else with what is ordered from now on.

// point is how far a member has been delivered. The stream drops a batch that is sent twice within two minutes; this drops it
// after any time, and what is left of an epoch when there has been a later one.
type point struct{ epoch, count uint64 }

// outlet is our Ksock on the bus where programs listen.
type outlet struct {
	*Member
	k           *kbus.Ksock
	incarnation uint32 // of that bus
	bookmark    *bookmark
	checkpoint  checkpoint
	doubtful    bool // whether the next message has been delivered is known to the bus alone
	warned      bool
}

// openOutlet opens it, and makes it one that carries: the bus drops what this Limpet sends a second time.
func (b *Member) openOutlet(ctx context.Context) (*outlet, error) {
	k, err := b.Outlet(ctx)
	if err != nil {
		return nil, err
	}
	out := &outlet{Member: b, k: k}
	if out.incarnation, err = carry(ctx, k); err == nil {
		err = out.fit(ctx)
	}
	if err == nil {
		out.bookmark, err = openBookmark(b.Checkpoint, b.Log)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return out, nil
}

// fit has the bus take messages as long as those of any inlet, as far as its daemon allows.
func (out *outlet) fit(ctx context.Context) error {
	now, err := out.k.Settings().MaxMessageBytes(ctx)
	if err != nil {
		return err
	}
	most, err := out.k.Settings().AbsMaxMessageBytes(ctx)
	if err != nil {
		return err
	}
	if want := min(int64(most), out.nc.MaxPayload()); want > int64(now) {
		_, err = out.k.Settings().SetMaxMessageBytes(ctx, uint32(want))
	}
	return err
}

func (out *outlet) close() {
	out.bookmark.close()
	out.k.Close()
}

// run gives the outlet what the stream has, until ctx ends or the bus is lost.
func (out *outlet) run(ctx context.Context, stream *store.Stream, begun func()) error {
	if err := out.begin(ctx, stream); err != nil {
		return err
	}
	begun()
	return stream.Follow(ctx, out.checkpoint.entry+1,
		func(e store.Entry) error { return out.entry(ctx, e) },
		func(first, n uint64) error { return out.gone(ctx, first, n) })
}

// reached notes how far the outlet has been served.
func (out *outlet) reached(entry uint64, messages uint32) {
	out.checkpoint.entry, out.checkpoint.messages = entry, messages
	out.bookmark.write(out.checkpoint)
	out.figures.served.Store(entry)
}

// entry delivers the next entry of the stream, or what is left of it.
func (out *outlet) entry(ctx context.Context, e store.Entry) error {
	dealtWith, n := out.checkpoint.messages, uint32(0)
	err := out.open(e, func(e *envelope.Envelope) error {
		n++
		fresh := out.advance(e)
		if n <= dealtWith {
			return nil
		}
		if strings.HasPrefix(e.Name, ownPrefix) {
			out.figures.refused.Add(1)
			fresh = false
		}
		if fresh {
			if err := out.deliver(ctx, e); err != nil {
				return err
			}
		}
		out.doubtful = false
		out.reached(out.checkpoint.entry, n)
		return nil
	})
	var nonsense *garbled
	switch {
	case errors.As(err, &nonsense):
		out.figures.refused.Add(1)
		out.Log.Warn("dropped what is no batch of the bowl that it is from", "sequence", e.Revision, "bowl", e.Key, "why", err)
	case err != nil:
		return err
	}
	out.doubtful = false
	out.reached(e.Revision, 0)
	return nil
}

// open calls each for the envelopes of an entry, as long as they are from the member whose entry it is: NATS lets only
// that member write there.
func (out *outlet) open(e store.Entry, each func(*envelope.Envelope) error) error {
	return open(e.Value, func(v *envelope.Envelope) error {
		if v.Kind != envelope.Broadcast || key(v.Member) != e.Key {
			return &garbled{fmt.Errorf("it has an envelope of kind %d from bowl %d", v.Kind, v.Member)}
		}
		return each(v)
	})
}

// advance notes how far a member has come, and reports whether it had not come so far before.
func (out *outlet) advance(e *envelope.Envelope) bool {
	out.mu.Lock()
	defer out.mu.Unlock()
	p := out.positions[e.Member]
	if e.Epoch < p.epoch || e.Epoch == p.epoch && e.Count <= p.count {
		return false
	}
	out.positions[e.Member] = point{e.Epoch, e.Count}
	return true
}
