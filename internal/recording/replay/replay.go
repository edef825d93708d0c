// Package replay says again on a bus what a recording has: its Announcements are sent and its Requests asked, in their order. What
// the bus itself says is left out (Statuses, bind events), and so are Replies, for whoever replies now replies for themselves.
//
// What was sent after an answer is sent after the answer: where the recording has the answer to a Request, the replay waits for
// the new one. So a program that is asked twice is asked in the order in which it was asked, whatever the speed. It has no clock
// and no files; it is told the events one by one.
package replay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording/choose"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// Bus is what a replay needs of a bus; *kbus.Ksock has it.
type Bus interface {
	Send(ctx context.Context, m *kbus.Message) (kbus.Sent, error)
	WaitSent(ctx context.Context) error
	NextReply(ctx context.Context, request kbus.ID) (*kbus.Message, error)
}

// Plan is how a recording is replayed.
type Plan struct {
	Choice   choose.Choice // which messages are sent
	Renames  []Rename
	Wait     bool          // each message waits until all have room for it
	Patience time.Duration // how long to wait for an answer; 0: for ever
	Hooks
}

// Hooks are called while it goes on; each may be nil.
type Hooks struct {
	Until   func(ctx context.Context, at time.Duration) error // waits until so long after the beginning
	Sends   func(at time.Duration, m *kbus.Message) error     // before each message
	Refused func(m *kbus.Message, reason error) error
	Differs func(Difference) error // an answer from the recorded one

	// Rest is called when a message had to wait for room. Who rests for a moment then finds room for many, where else each
	// message would wait for the room of one.
	Rest func()
}

// Figures are what came of it.
type Figures struct {
	Sent     uint64 `json:"sent"` // Requests among them
	Requests uint64 `json:"requests"`
	Reached  uint64 `json:"reached"` // copies; of those that waited for room it is not known
	Skipped  uint64 `json:"skipped"`
	Waited   uint64 `json:"waited"`
	Refused  uint64 `json:"refused"`
	Cut      uint64 `json:"cut"`    // not sent, because the recording has not all of their data
	Missed   uint64 `json:"missed"` // events that the recording has not
	Answers
}

// Answers are what came of the Requests.
type Answers struct {
	Answered   uint64 `json:"answered"` // by a Reply or a Status
	Unanswered uint64 `json:"unanswered"`
	Compared   uint64 `json:"compared"`
	Different  uint64 `json:"different"`
}

// Replay is a replay that is going on. One goroutine uses it.
type Replay struct {
	bus     Bus // nil: nothing is sent
	plan    Plan
	figures Figures
	at      time.Duration // of the last message, in the time of the recording
	boot    int64         // of the last event
	wall    int64         // likewise
	open    map[request]*asked
	order   []*asked // the oldest first; some of them are no longer open
}

// request is how a recording names a Request.
type request struct {
	bus uint32
	id  message.ID
}

// asked is a Request that was asked again.
type asked struct {
	request
	serial  uint64
	name    string // as it was recorded
	now     kbus.ID
	refused error // it was not accepted
}

// New begins a replay. With no bus, it only says what it would send.
func New(bus Bus, plan Plan) *Replay {
	return &Replay{bus: bus, plan: plan, open: map[request]*asked{}}
}

// Figures are those so far.
func (r *Replay) Figures() Figures { return r.figures }

// Event replays the next event.
func (r *Replay) Event(ctx context.Context, e *event.Event) error {
	r.figures.Missed += e.Missed
	inTime := r.plan.Choice.InTime(e)
	kind, isMessage := e.MessageKind()
	switch {
	case !isMessage || e.Kind == event.Taken:
		return nil
	case e.Condition != message.OK: // it was refused then, or comes again when it has been sent
		return nil
	case e.Header.IsReply():
		return r.answer(ctx, e)
	case !inTime || !r.plan.Choice.Named(string(e.Name)), e.Header.Flags.Has(message.Synthetic), strings.HasPrefix(string(e.Name), "$.KBUS."):
		return nil
	}
	r.advance(e)
	if uint64(len(e.Data)) < uint64(e.DataBytes) {
		r.figures.Cut++
		return nil
	}
	m := r.message(e)
	if hook := r.plan.Until; hook != nil {
		if err := hook(ctx, r.at); err != nil {
			return err
		}
	}
	if hook := r.plan.Sends; hook != nil {
		if err := hook(r.at, m); err != nil {
			return err
		}
	}
	if r.bus == nil {
		r.figures.Sent++
		if kind == message.RequestKind {
			r.figures.Requests++
		}
		return nil
	}
	return r.send(ctx, e, m)
}

// otherClock is how far the two clocks of a machine are set apart at once at most, while nobody sets one.
const otherClock = time.Minute

// advance tells the time of the recording, which goes on only.
func (r *Replay) advance(e *event.Event) {
	if r.boot != 0 {
		r.at += passed(time.Duration(e.Boot-r.boot), time.Duration(e.Wall-r.wall))
	}
	r.boot, r.wall = e.Boot, e.Wall
}

// passed is how much time passes between two events. The clock that counts from the start of the machine is the better one, for
// nobody sets it. Where the two disagree, the events are of two machines, whose recordings were merged: then it is the time of day. Or
// the clock of the day was set: then it is the other one. Or the machine was started anew: then no time passes.
func passed(boot, wall time.Duration) time.Duration {
	apart := boot - wall
	switch {
	case apart <= otherClock && apart >= -otherClock:
		return max(boot, 0)
	case boot >= 0:
		return min(boot, max(wall, 0))
	case wall <= otherClock:
		return max(wall, 0)
	}
	return 0
}

// ours are the flags that a sender sets.
const ours = message.WantAReply | message.Urgent | message.AllOrWait | message.AllOrFail | 0xFFFF0000

// message is what is sent: what was sent then, but for what was only true then.
func (r *Replay) message(e *event.Event) *kbus.Message {
	flags := e.Header.Flags & ours
	if r.plan.Wait {
		flags = flags&^message.AllOrFail | message.AllOrWait
	}
	return &kbus.Message{Header: message.Header{Flags: flags}, Name: rename(r.plan.Renames, string(e.Name)), Data: append([]byte(nil), e.Data...), Trace: message.TraceOf(e.Trace)}
}

func (r *Replay) send(ctx context.Context, e *event.Event, m *kbus.Message) error {
	sent, err := r.bus.Send(ctx, m)
	for errors.Is(err, kbus.ErrNoRoomForReply) && len(r.order) > 0 { // too many are without an answer
		if err := r.oldest(ctx); err != nil {
			return err
		}
		sent, err = r.bus.Send(ctx, m)
	}
	if sent.Pending && err == nil {
		r.figures.Waited++
		err = r.bus.WaitSent(ctx)
		if hook := r.plan.Rest; hook != nil {
			hook()
		}
	}
	f := &r.figures
	switch {
	case err != nil && !isRefusal(err):
		return err
	case err != nil:
		f.Refused++
		if hook := r.plan.Refused; hook != nil {
			if err := hook(m, err); err != nil {
				return err
			}
		}
	default:
		f.Sent++
		f.Reached += uint64(sent.Reached)
		f.Skipped += uint64(sent.Skipped)
	}
	if !m.IsRequest() {
		return nil
	}
	if err == nil {
		f.Requests++
	}
	a := &asked{request: request{e.Bus, e.Header.ID}, serial: e.Serial, name: string(e.Name), now: sent.ID, refused: err}
	r.open[a.request] = a
	if len(r.order) > 2*len(r.open)+64 {
		r.order = slices.DeleteFunc(r.order, func(a *asked) bool { return r.open[a.request] != a })
	}
	r.order = append(r.order, a)
	return nil
}

// isRefusal tells a message that is not accepted from a bus that is not there.
func isRefusal(err error) bool {
	var c kbus.Condition
	return errors.As(err, &c) && c != kbus.ErrBusGone && c != kbus.ErrClosed && c != kbus.ErrStopping && c != kbus.ErrCanceled
}
