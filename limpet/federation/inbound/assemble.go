package inbound

import (
	"context"
	"errors"
	"fmt"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/parts"
	"kbus.example/kbus/limpet/federation/routing"
)

// A long envelope comes in parts (package parts). One that is longer than our bus takes is not kept: only its beginning
// is, so that a Request can be refused and an Announcement counted as missed.

// assemble takes a part, and returns the envelope that it completes, or one of kind 0. tooLong says that the envelope has
// no data, because it is too long for our bus.
func (in *Inbound) assemble(ctx context.Context, part *envelope.Envelope) (e envelope.Envelope, tooLong *parts.TooLong, err error) {
	if part.Target == in.Bus.Member {
		in.Exchange.Alive(ctx, part.Member, part.Epoch)
	}
	bytes, err := in.collector.Add(part)
	switch {
	case errors.As(err, &tooLong):
		e, err = envelope.ParseBeginning(bytes)
	case err == nil && bytes != nil:
		e, err = envelope.Parse(bytes)
	}
	if e.Member != part.Member || e.Epoch != part.Epoch || e.Kind == envelope.Part {
		if e.Kind != 0 {
			err = fmt.Errorf("parts of an envelope of kind %d that says it is from bowl %d, epoch %d", e.Kind, e.Member, e.Epoch)
		}
		return envelope.Envelope{}, nil, err
	}
	return e, tooLong, err
}

// tooLong handles an envelope that is longer than our bus takes, of which there is only the beginning.
func (in *Inbound) tooLong(ctx context.Context, e *envelope.Envelope, why *parts.TooLong) {
	fits := parts.Fits(why.Most, &e.Message)
	status := routing.RemoteError(kbus.ErrMessageTooLong)
	ours := e.Target == in.Bus.Member
	switch e.Kind {
	case envelope.Broadcast:
		in.announcements.tooLong(e)
	case envelope.Request:
		if ours {
			in.Exchange.RefuseNew(ctx, e, status, fmt.Sprintf(
				"too long for the bus of bowl %d, where the Replier is: it takes %d bytes of data", in.Bus.Member, fits))
		}
	case envelope.Reply:
		e.Name = status
		e.Data = fmt.Appendf(nil, "the Reply is too long for this bus, which takes %d bytes of data", fits)
		in.requests.reply(ctx, e)
	}
}
