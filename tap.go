package kbus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/transport"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A tap has a connection of its own, and nothing goes through it but what the tap is shown. So it needs none of what a Ksock
// needs to share one: it asks twice, and then it listens.

// TapFilter says what of a bus a tap wants to see. The zero TapFilter is everything.
type TapFilter struct {
	Patterns     []string    // names and wildcards, as for Bind: only what has a name that one of them matches; none: all
	Kinds        []EventKind // none: all
	Messages     []Kind      // of EventSent, only these: AnnouncementKind, RequestKind, ReplyKind; none: all. With no Kinds, nothing else
	Ksock        KsockID     // only what it does, sends or is sent, Requests that it must answer among that; 0: all
	OnlyFailures bool        // only what was refused, what somebody missed, and Statuses
	MaxData      int         // bytes of each message's data that are shown; 0: all, negative: none
}

// EventKind is what a bus did.
type EventKind uint32

// The kinds. An Event that has an Err tells of what was refused.
const (
	EventLost    EventKind = 0 // nothing more than that events were lost: the tap was too slow
	EventSent    EventKind = 1 // a message was sent. With ErrPending it waits for room, and comes again when it goes
	EventStatus  EventKind = 2 // the bus answered a Request in its Replier's stead
	EventTaken   EventKind = 3 // a Replier has taken a Request, as far as the bus has noticed; there is no data
	EventOpened  EventKind = 4 // a Ksock was opened
	EventClosed  EventKind = 5 // a Ksock was closed
	EventBound   EventKind = 6 // a binding was made; Name is its name
	EventUnbound EventKind = 7 // a binding ended
)

var eventNames = [...]string{"lost", "sent", "status", "taken", "opened", "closed", "bound", "unbound"}

// String is one word.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "unknown"
}

// Event is something that a bus did.
type Event struct {
	Message // of EventSent, EventStatus and EventTaken; of bindings the Name only

	Event     EventKind
	Err       error         // why it was refused: a Condition; nil: it was not
	Lost      uint64        // events that this tap was too slow for, just before this one
	Time      time.Time     // by the clock of the machine's wall
	SinceBoot time.Duration // by the clock that never jumps, the time that the machine has slept included
	By        Peer          // whose doing; its Ksock is 0 for the bus itself
	AsReplier bool          // of bindings
	Replier   KsockID       // of a Request that was sent: the Ksock that must answer it
	Reached   uint32        // copies of the message that were queued
	Skipped   uint32        // bindings of Listeners whose queue was full
	SetAside  uint32        // bindings of Listeners for whom a bind event was set aside
	DataBytes uint32        // length of the message's data, of which less may be shown
}

// Tap shows what the bus does from now on, in its order, until ctx ends, the loop does, or the bus is gone; the last pair has
// an error then and no Event. It disturbs nobody: what does not fit the tap's buffer (1 MiB in the daemon, charged to the user)
// is lost to the tap alone, which is told how much and where.
//
//	events, err := o.Tap(ctx, kbus.TapFilter{Patterns: []string{"$.Door.*"}})
//	for e, err := range events {
//
// The tap has a connection of its own, which is given back when the loop ends or ctx does. Only one loop may go over
// the events. It fails as Open does; with ErrNotPermitted where the daemon's setting `taps` does not let the user look; with
// ErrBadName for a pattern; with ErrMalformed for a kind that is none.
func (o *Observer) Tap(ctx context.Context, filter TapFilter) (iter.Seq2[*Event, error], error) {
	t, err := o.endpoint.startTap(ctx, filter)
	if err != nil {
		return nil, err
	}
	unused := context.AfterFunc(ctx, t.link.Drop)
	return func(yield func(*Event, error) bool) {
		if !unused() { // it has ended, or another loop had it
			err := ctx.Err()
			if err == nil {
				err = &Error{Op: "tap", Err: ErrClosed}
			}
			yield(nil, err)
			return
		}
		t.show(ctx, yield)
	}, nil
}

// show goes on until there is a reason not to.
func (t *tapLink) show(ctx context.Context, yield func(*Event, error) bool) {
	defer t.link.Drop()
	stop := context.AfterFunc(ctx, t.link.Poke)
	defer stop()
	for {
		h, payload, err := t.next(ctx)
		if err != nil {
			yield(nil, t.failure(ctx, err))
			return
		}
		if h.Op != wire.OpTapped {
			continue // the bus is ending, in order
		}
		e, ok := newEvent(h, payload)
		if !ok {
			yield(nil, t.failure(ctx, garbled(wire.OpTapped)))
			return
		}
		if !yield(e, nil) {
			return
		}
	}
}

// tapLink is the connection.
type tapLink struct {
	link transport.Link
	buf  []byte
	at   int // of what is not looked at yet
}

func (p *endpoint) startTap(ctx context.Context, f TapFilter) (*tapLink, error) {
	for _, name := range f.Patterns { // before the length of one that is too long no longer fits its place in the request
		if c := message.CheckBinding(name); c != message.OK {
			return nil, &Error{Op: "tap", Name: name, Err: c, Text: message.NameFault([]byte(name), false, true)}
		}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	l, err := p.reach(ctx)
	if err != nil {
		return nil, err
	}
	t := &tapLink{link: l}
	stop := context.AfterFunc(ctx, l.Poke)
	defer stop()
	for seq, ask := range [...]struct {
		op      wire.Op
		payload []byte
	}{
		{wire.OpHello, wire.AppendHello(nil, wire.Hello{Lowest: wire.Version, Highest: wire.Version, Features: wire.FeatureTrace})},
		{wire.OpTap, wire.AppendTapFilter(nil, f.wire())},
	} {
		if err := t.ask(ctx, ask.op, uint32(seq+1), ask.payload); err != nil {
			l.Drop()
			return nil, err
		}
	}
	return t, nil
}

// ask sends one request, and waits for its result.
func (t *tapLink) ask(ctx context.Context, op wire.Op, seq uint32, payload []byte) error {
	frame := wire.AppendHeader(nil, wire.Header{PayloadBytes: uint32(len(payload)), Op: op, Seq: seq})
	frame = append(frame, payload...)
	for len(frame) > 0 {
		n, err := t.link.Send(frame)
		if err != nil {
			break // what it has said before it went may tell why
		}
		frame = frame[n:]
	}
	h, text, err := t.next(ctx)
	switch {
	case err != nil:
		return t.failure(ctx, err)
	case h.Condition != message.OK:
		return &Error{Op: "tap", Err: h.Condition, Text: string(text)}
	case h.Op != op:
		return t.failure(ctx, client.Unexpected("to %v", op))
	}
	return nil
}

// next gives the next frame. The payload is good until the next call.
func (t *tapLink) next(ctx context.Context) (h wire.Header, payload []byte, err error) {
	for {
		h, payload, n, err := wire.Split(t.buf[t.at:], wire.MaxResultBytes)
		if n > 0 || err != nil {
			t.at += n
			return h, payload, err
		}
		t.buf = t.buf[:copy(t.buf, t.buf[t.at:])]
		t.at = 0
		if len(t.buf) == cap(t.buf) {
			t.buf = append(make([]byte, 0, max(16<<10, 2*cap(t.buf))), t.buf...)
		}
		got, err := t.link.Recv(t.buf[len(t.buf):cap(t.buf)], false)
		if err != nil {
			return h, nil, err
		}
		t.buf = t.buf[:len(t.buf)+got]
		if ctx.Err() != nil {
			return h, nil, ctx.Err()
		}
	}
}

// failure says why there is no more.
func (t *tapLink) failure(ctx context.Context, err error) error {
	var already *Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &already):
		return err
	}
	return &Error{Op: "tap", Err: ErrBusGone, Text: err.Error()}
}

// messageBits stand for kinds of messages in a filter.
var messageBits = map[Kind]uint32{AnnouncementKind: wire.TapAnnouncements, RequestKind: wire.TapRequests, ReplyKind: wire.TapReplies}

// check refuses kinds that are none, which would have no bit: then all would be shown.
func (f *TapFilter) check() error {
	for _, k := range f.Kinds {
		if k > EventUnbound {
			return &Error{Op: "tap", Err: ErrMalformed, Text: fmt.Sprintf("%d is no kind of event", uint32(k))}
		}
	}
	for _, k := range f.Messages {
		if messageBits[k] == 0 {
			return &Error{Op: "tap", Err: ErrMalformed, Text: fmt.Sprintf("%v is no kind of message that is sent; a Status is an EventStatus", k)}
		}
	}
	return nil
}

func (f *TapFilter) wire() wire.TapFilter {
	w := wire.TapFilter{OnlyFailures: f.OnlyFailures, Ksock: uint32(f.Ksock), Patterns: f.Patterns}
	switch {
	case f.MaxData == 0:
		w.DataBytes = math.MaxUint32
	case f.MaxData > 0:
		w.DataBytes = uint32(min(f.MaxData, math.MaxInt32))
	}
	for _, k := range f.Kinds {
		if k != EventSent || len(f.Messages) == 0 {
			w.Kinds |= 1 << k
		}
	}
	for _, k := range f.Messages {
		w.Kinds |= messageBits[k]
	}
	return w
}

func newEvent(h wire.Header, payload []byte) (*Event, bool) {
	var w wire.TapEvent
	if !wire.ParseTapEvent(payload, &w) {
		return nil, false
	}
	e := &Event{
		Message: Message{Header: w.Header, Name: string(w.Name), Data: append([]byte(nil), w.Data...), Trace: message.TraceOf(w.Trace)},
		Event:   EventKind(h.Arg), Lost: w.Missed, Time: time.Unix(0, w.Wall), SinceBoot: time.Duration(w.Boot),
		By:        Peer{Ksock: KsockID(w.Ksock), UID: w.UID, GID: w.GID, PID: w.PID, Program: w.Program},
		AsReplier: w.AsReplier, Replier: KsockID(w.Replier), Reached: w.Reached, Skipped: w.Skipped, SetAside: w.SetAside, DataBytes: w.DataBytes,
	}
	if h.Condition != message.OK {
		e.Err = h.Condition
	}
	return e, true
}
