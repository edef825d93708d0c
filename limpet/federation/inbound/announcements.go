package inbound

import (
	"context"
	"errors"
	"sync/atomic"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/scope"
)

// announcements gives Listeners of our bus what was sent on the buses of other members. A pair that joins the same buses
// may have brought a message before NATS did; the bus knows, and takes only the first copy. One goroutine owns this; only
// the counters are read by others.
type announcements struct {
	ksock *kbus.Ksock
	pipe  *kbus.Pipe
	bus   envelope.Bus
	scope scope.Scope
	gaps  Gaps

	piped   uint64      // messages that went through the pipe,
	origins [512]uint32 // and the members that the last of them came from

	received atomic.Uint64
	copies   atomic.Uint64 // of messages that had come another way
	lost     atomic.Uint64 // messages that the bus did not take
}

// deliver sends a message to Listeners. Its loss is counted; the loss of the bus is an error.
func (a *announcements) deliver(ctx context.Context, e *envelope.Envelope) error {
	a.gaps.Counted(e, e.Count)
	if e.Target == a.bus.Member || !a.scope.Covers(e.Name) {
		return nil
	}
	m := &e.Message
	a.bus.Import(m)
	m.To = 0
	a.received.Add(1)
	if m.IsRequest() || m.IsReply() {
		_, err := a.ksock.Bridge().SendToListeners(ctx, m)
		return a.undelivered(ctx, e.Member, err)
	}
	a.origins[a.piped%uint64(len(a.origins))] = e.Member
	a.piped++
	err := a.pipe.Send(ctx, m)
	return a.undelivered(ctx, a.origin(err, e.Member), err)
}

// origin is the member whose message failed: an error of the pipe may be about an earlier one.
func (a *announcements) origin(err error, member uint32) uint32 {
	var failed *kbus.PipeError
	if errors.As(err, &failed) {
		return a.origins[failed.Index%uint64(len(a.origins))]
	}
	return member
}

// flush waits until what was piped is on the bus.
func (a *announcements) flush(ctx context.Context) error {
	for {
		_, err := a.pipe.Flush(ctx)
		var failed *kbus.PipeError
		if !errors.As(err, &failed) {
			return err
		}
		if err := a.undelivered(ctx, a.origin(err, 0), err); err != nil {
			return err
		}
	}
}

// tooLong counts a message that is longer than our bus takes.
func (a *announcements) tooLong(e *envelope.Envelope) {
	a.gaps.Counted(e, e.Count)
	if e.Target != a.bus.Member && a.scope.Covers(e.Name) {
		a.gaps.Missed(e.Member)
		a.lost.Add(1)
	}
}

func (a *announcements) undelivered(ctx context.Context, member uint32, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, kbus.ErrBusGone) || errors.Is(err, kbus.ErrClosed) || ctx.Err() != nil:
		return err
	case errors.Is(err, kbus.ErrHeard):
		a.copies.Add(1)
	case errors.Is(err, kbus.ErrStale), errors.Is(err, kbus.ErrMessageTooLong): // it may have come another way long ago, or not
		a.gaps.Missed(member)
		a.lost.Add(1)
	default:
		a.lost.Add(1)
	}
	return nil
}
