package bus

import "kbus.example/kbus/message"

// A tap is shown what a bus does, in the order of the bus, and nothing else differs: it has no Ksock, no queue and no say.
// It must take what it wants to keep before it returns, and must not call the bus. Without a tap this costs one look at a
// field for each message.

// Tap is shown each Event as it happens. While Blind reports that it would be shown none, whatever happens, no Event is made, and
// Unseen is called in its place. KeepsData reports whether it will keep any of the data of a message that is about to be
// sent; the outcome is not in the Event yet. If not, it may be shown data that its sender changes meanwhile.
type Tap interface {
	Blind() bool
	Unseen()
	KeepsData(e *Event) bool
	Tapped(e *Event)
}

// EventKind is what has happened.
type EventKind uint8

// The kinds. An Event whose Err is not OK is about something that was refused.
const (
	EventSent    EventKind = 1 // a message went to its recipients; with ErrPending it waits for room, and comes again when it goes
	EventStatus  EventKind = 2 // the bus answered a Request where its Replier did not
	EventTaken   EventKind = 3 // a Replier has taken a Request
	EventOpened  EventKind = 4 // a Ksock
	EventClosed  EventKind = 5
	EventBound   EventKind = 6
	EventUnbound EventKind = 7
)

// Event is valid while it is shown. Which fields mean something depends on its kind.
type Event struct {
	Kind      EventKind
	Err       message.Condition
	Ksock     message.KsockID // the Ksock that did it; 0: the bus itself
	Owner     Owner           // of that Ksock
	Header    message.Header  // of messages
	Name      []byte          // of messages and bindings
	Data      []byte
	Unshown   uint32          // bytes of the data that are not in Data
	Trace     []byte          // the trace context of messages
	AsReplier bool            // of bindings
	Replier   message.KsockID // the Ksock that a sent Request went to, as its Replier
	Reach
}

// Reach is whom a message reached.
type Reach struct {
	Reached  uint32 // copies queued
	Skipped  uint32 // Listener bindings whose queue had no room
	SetAside uint32 // Listener bindings for which a bind event was set aside
}

// tapped is what a bus has for its tap.
type tapped struct {
	tap   Tap    // nil: nobody looks
	event Event  // that is shown to it: here, so that showing allocates nothing
	shown []byte // see sendShown
}

// SetTap has tap shown everything from now on; nil ends that.
func (t *tapped) SetTap(tap Tap) { t.tap = tap }

// isWatched reports whether what has happened is to be shown.
func (t *tapped) isWatched() bool {
	if t.tap == nil {
		return false
	}
	if t.tap.Blind() {
		t.tap.Unseen()
		return false
	}
	return true
}

// show is for what is watched. It fills in who has done it.
func (b *Bus) show(k *Ksock, e Event) {
	if k != nil {
		e.Ksock, e.Owner = k.id, k.owner
	}
	b.event = e
	b.tap.Tapped(&b.event)
	b.event = Event{}
}

// keptShown is how large a copy may be to be kept for the next message.
const keptShown = 64 << 10

// sendShown is send when there is a tap. The data may lie where its sender can still write to it, so the recipients' copies
// and what the tap is shown are made of one copy, unless the tap keeps nothing of it.
func (b *Bus) sendShown(k *Ksock, h *message.Header, name, data []byte, how *manner) Outcome {
	if b.tap.Blind() {
		o := b.send(k, h, name, data, how)
		if o.Err != message.ErrDenied {
			b.tap.Unseen()
		}
		return o
	}
	if len(data) > 0 {
		b.event = Event{Kind: EventSent, Ksock: k.id, Owner: k.owner, Header: *h, Name: name, Data: data}
		keeps := b.tap.KeepsData(&b.event)
		b.event = Event{}
		if !keeps {
			o := b.send(k, h, name, data, how)
			b.showSend(k, h, name, data, how.traceContext(), o)
			return o
		}
	}
	b.shown = append(b.shown[:0], data...)
	o := b.send(k, h, name, b.shown, how)
	b.showSend(k, h, name, b.shown, how.traceContext(), o)
	if cap(b.shown) > keptShown {
		b.shown = nil
	}
	return o
}

// showSend shows a message as its sender gave it, with its outcome.
func (b *Bus) showSend(k *Ksock, h *message.Header, name, data, trace []byte, o Outcome) {
	if o.Err == message.ErrDenied {
		return // nobody is to see it
	}
	e := Event{Kind: EventSent, Err: o.Err, Header: shownHead(k, h, o.ID), Name: name, Data: data, Trace: trace, Reach: Reach{Reached: o.Reached, Skipped: o.Skipped}}
	if r := b.plan.replier; o.Err == message.OK && h.IsRequest() && r != nil { // no quick way is a Request's
		e.Replier = r.ksock.id
	}
	b.show(k, e)
}

// shownHead is the header of a message with the id that it has got.
func shownHead(k *Ksock, h *message.Header, id message.ID) message.Header {
	head := *h
	head.From = k.id
	head.Flags &^= message.Synthetic | message.WantYouToReply
	switch {
	case !id.IsZero():
		head.ID = id
	case head.ID.Network == 0: // it was refused before it had one, and another message may have what its sender wrote there
		head.ID = message.ID{}
	}
	return head
}

// ShowRefused shows a message that is refused before it is sent, for its form: without its data, which may be longer than any that is sent.
// The name may have any bytes, and the tap must not be shown more of it than a name has.
func ShowRefused(b *Bus, k *Ksock, h *message.Header, name []byte, dataBytes int, c message.Condition) {
	if b.ruled && b.maySend(k, h, name, everybody) != message.OK || !b.isWatched() { // who may not send it has nobody see it
		return
	}
	b.show(k, Event{Kind: EventSent, Err: c, Header: shownHead(k, h, message.ID{}), Name: name, Unshown: uint32(dataBytes)})
}

// showOwn shows a message of the bus's own.
func (b *Bus) showOwn(kind EventKind, m *stored, reached, aside uint32) {
	if b.isWatched() {
		b.show(nil, Event{Kind: kind, Header: m.head, Name: m.name(), Data: m.data(), Reach: Reach{Reached: reached, SetAside: aside}})
	}
}

func (b *Bus) showOpen(o Owner, k *Ksock, c message.Condition) {
	if b.isWatched() {
		b.show(k, Event{Kind: EventOpened, Err: c, Owner: o})
	}
}

func (b *Bus) showBinding(kind EventKind, n *binding, c message.Condition) {
	if c != message.ErrDenied && b.isWatched() {
		b.show(n.ksock, Event{Kind: kind, Err: c, Name: []byte(n.name), AsReplier: n.replier})
	}
}
