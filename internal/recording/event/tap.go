package event

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// FromTap is what a frame Tapped shows: its argument, its condition and its payload. Name, Data and Trace are shared with t.
func FromTap(kind uint32, c message.Condition, t *wire.TapEvent) Event {
	return Event{
		Kind: Kind(kind), Condition: c, Missed: t.Missed, Boot: t.Boot, Wall: t.Wall, Ksock: t.Ksock, UID: t.UID, GID: t.GID,
		PID: t.PID, Program: t.Program, Reached: t.Reached, Skipped: t.Skipped, SetAside: t.SetAside, AsReplier: t.AsReplier, Replier: t.Replier,
		DataBytes: t.DataBytes, Header: t.Header, Name: t.Name, Data: t.Data, Trace: t.Trace,
	}
}

// Tap is the payload of such a frame. Name, Data and Trace are shared.
func (e *Event) Tap() wire.TapEvent {
	t := wire.TapEvent{
		Missed: e.Missed, Boot: e.Boot, Wall: e.Wall, Ksock: e.Ksock, UID: e.UID, GID: e.GID, PID: e.PID, Program: e.Program,
		Reached: e.Reached, Skipped: e.Skipped, SetAside: e.SetAside, AsReplier: e.AsReplier, Replier: e.Replier, DataBytes: e.DataBytes,
		Header: e.Header, Name: e.Name, Data: e.Data, Trace: e.Trace,
	}
	if len(e.Trace) > 0 {
		wire.MarkTrace(&t.Header, e.Trace)
	}
	return t
}
