package replay

import (
	"bytes"
	"context"
	"errors"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// The answers of now, beside those of then.

// Answer is a Reply or a Status, or why there was none.
type Answer struct {
	Status string // name of a Status; "": it was a Reply
	Data   []byte
	Err    error // there was none
}

// Same reports whether two answers are the same: two Replies with the same data, two Statuses of the same name.
func (a Answer) Same(b Answer) bool {
	return a.Err == nil && b.Err == nil && a.Status == b.Status && (a.Status != "" || bytes.Equal(a.Data, b.Data))
}

// Difference is a Request that is answered differently now.
type Difference struct {
	Serial    uint64 // in the recording
	Name      string // of the Request, as it was recorded
	ID        kbus.ID
	Then, Now Answer
}

// ErrUnanswered is why there is no answer: it takes too long.
var ErrUnanswered = errors.New("no answer in time")

// answer comes to the answer to a Request in the recording: it waits for the one of now.
func (r *Replay) answer(ctx context.Context, e *event.Event) error {
	a := r.open[request{e.Bus, e.Header.InReplyTo}]
	if a == nil {
		return nil
	}
	r.advance(e)
	now, err := r.await(ctx, a)
	if err != nil {
		return err
	}
	then := Answer{Data: append([]byte(nil), e.Data...)}
	if kind, _ := e.MessageKind(); kind == message.StatusKind {
		then.Status = string(e.Name)
	}
	if uint64(len(e.Data)) < uint64(e.DataBytes) && then.Status == "" {
		return nil // it cannot be compared
	}
	r.figures.Compared++
	if then.Same(now) {
		return nil
	}
	r.figures.Different++
	if hook := r.plan.Differs; hook != nil {
		return hook(Difference{a.serial, a.name, a.id, then, now})
	}
	return nil
}

// await waits for the answer to a Request that is open, which then it is no longer.
func (r *Replay) await(ctx context.Context, a *asked) (Answer, error) {
	delete(r.open, a.request)
	if a.refused != nil {
		return Answer{Err: a.refused}, nil
	}
	within, done := ctx, context.CancelFunc(func() {})
	if r.plan.Patience > 0 {
		within, done = context.WithTimeout(ctx, r.plan.Patience)
	}
	defer done()
	reply, err := r.bus.NextReply(within, a.now)
	var status *kbus.StatusError
	switch {
	case err == nil:
		r.figures.Answered++
		return Answer{Data: reply.Data}, nil
	case errors.As(err, &status) && !errors.Is(err, kbus.ErrBusGoneAway):
		r.figures.Answered++
		return Answer{Status: status.Status.Name}, nil
	case ctx.Err() == nil && within.Err() != nil:
		r.figures.Unanswered++
		return Answer{Err: ErrUnanswered}, nil
	}
	return Answer{}, err
}

// oldest waits for the answer to the Request that has been without one for longest.
func (r *Replay) oldest(ctx context.Context) error {
	a := r.order[0]
	r.order = r.order[1:]
	if r.open[a.request] != a {
		return nil
	}
	_, err := r.await(ctx, a)
	return err
}

// End waits for the answers that the recording does not have.
func (r *Replay) End(ctx context.Context) error {
	for len(r.order) > 0 {
		if err := r.oldest(ctx); err != nil {
			return err
		}
	}
	return nil
}
