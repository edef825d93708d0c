package ordered

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/store"
)

// The outlet gives its Listeners what the stream has, in the order of the stream: all of them get a message, or it waits
// until they have room, for one that was passed over would have another order than the rest. It begins where it was
// left, if this is still the same life of the bus, and else with what is ordered from now on.

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
