package ordered

import (
	"context"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/limpet/federation/store"
)

// How long a message may be follows from what the way to the stream carries. An entry that is too long for a server on it
// never arrives; the link to that server ends each time that it is tried, and everything else waits behind it. If the
// stream is led in the cluster that we are connected to, the way is known: what our server takes. Else, behind a leaf
// node or a gateway, it may be anything, and we count on little, unless --payload says more. What is too long is refused where
// it is sent. (Unordered messages go in parts. Here parts of one message would be several entries, of which an outlet that
// is started anew may have had some and not others.)

const (
	sure    = 32 << 10 // bytes that NATS servers are taken to carry, unless more is known
	headers = 1 << 10  // bytes that JetStream needs besides an entry
)

// findWay finds out how long an entry may be.
func (b *Member) findWay(ctx context.Context, stream *store.Stream) error {
	most := b.nc.MaxPayload()
	if b.MaxPayload > 0 {
		most = min(most, int64(b.MaxPayload))
	} else if near, err := stream.Near(ctx); err != nil {
		return err
	} else if !near {
		most = min(most, sure)
	}
	if b.most = int(most) - headers; b.most < 2*kbus.MaxNameBytes {
		return retry.Refuse("the way to the stream carries messages of %d bytes (max_payload), and ordered bowls need more", most)
	}
	return nil
}

// fits is how much data and name a message on the inlet may have, as an entry of its own.
func (b *Member) fits() int { return b.most - lengthBytes - envelope.HeaderBytes }

// fit has the inlet refuse what is too long to be ordered.
func (in *inlet) fit(ctx context.Context) error {
	now, err := in.k.Settings().MaxMessageBytes(ctx)
	if err != nil || int64(now) <= int64(in.fits()) {
		return err
	}
	in.Log.Info("the maximum message size of the inlet is lowered to what the way to the stream carries", "from", now, "to", in.fits())
	_, err = in.k.Settings().SetMaxMessageBytes(ctx, uint32(in.fits()))
	return err
}
