// Package sample makes events for the tests of recordings, any and a few that people know.
package sample

import (
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
	"pgregory.net/rapid"
)

// Any is any event that a daemon may show, and some that it will not.
func Any() *rapid.Generator[event.Event] {
	u32 := rapid.Uint32()
	id := rapid.Custom(func(t *rapid.T) message.ID {
		return message.ID{Network: u32.Draw(t, "network"), Serial: u32.Draw(t, "serial")}
	})
	origin := rapid.Custom(func(t *rapid.T) message.Origin {
		return message.Origin{Network: u32.Draw(t, "network"), Local: u32.Draw(t, "Ksock")}
	})
	text := rapid.Map(rapid.StringN(0, 40, 200), func(s string) []byte { return []byte(s) })
	bytes := rapid.OneOf(text, rapid.SliceOfN(rapid.Byte(), 0, 300))
	return rapid.Custom(func(t *rapid.T) event.Event {
		e := event.Event{
			Serial: rapid.Uint64().Draw(t, "serial"), Bus: u32.Draw(t, "bus"), Kind: event.Kind(rapid.OneOf(rapid.Uint32Range(0, 7), u32).Draw(t, "kind")),
			Condition: message.Condition(rapid.Byte().Draw(t, "condition")), Missed: rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64()).Draw(t, "missed"),
			Boot: rapid.Int64().Draw(t, "boot"), Wall: rapid.Int64().Draw(t, "wall"), Ksock: u32.Draw(t, "Ksock"), UID: u32.Draw(t, "user"),
			GID: u32.Draw(t, "group"), PID: u32.Draw(t, "process"), Program: string(text.Draw(t, "program")), Reached: u32.Draw(t, "reached"),
			Skipped: u32.Draw(t, "skipped"), SetAside: u32.Draw(t, "set aside"), AsReplier: rapid.Bool().Draw(t, "as Replier"), Replier: u32.Draw(t, "Replier"),
			Header: message.Header{ID: id.Draw(t, "id"), InReplyTo: id.Draw(t, "in reply to"), To: message.KsockID(u32.Draw(t, "to")), From: message.KsockID(u32.Draw(t, "from")),
				OrigFrom: origin.Draw(t, "original sender"), FinalTo: origin.Draw(t, "final destination"), Extra: u32.Draw(t, "extra"),
				Flags: message.Flags(u32.Draw(t, "flags"))},
			Name: bytes.Draw(t, "name"), Data: bytes.Draw(t, "data"),
		}
		if rapid.Bool().Draw(t, "traced") {
			e.Trace = message.AppendTrace(nil, &message.Trace{Parent: string(rapid.SliceOfN(rapid.Byte(), 1, 128).Draw(t, "traceparent")), State: string(text.Draw(t, "tracestate"))})
			e.Header.Flags &^= message.TraceMark
		}
		e.DataBytes = max(uint32(len(e.Data)), rapid.OneOf(rapid.Just(uint32(0)), u32).Draw(t, "data bytes"))
		return e
	})
}

// Talk is what a lamp and its switch do, with a refusal, a Status, a loss, data that was cut and bytes that are no text.
func Talk() []event.Event {
	const second = 1_000_000_000
	at := int64(0)
	next := func(e event.Event) event.Event {
		at++
		e.Serial, e.Bus, e.Boot, e.Wall = uint64(at), 3, 100*second+at*second/4, 1_800_000_000*second+at*second/4+7
		e.DataBytes = max(e.DataBytes, uint32(len(e.Data)))
		return e
	}
	lamp := func(e event.Event) event.Event {
		e.Ksock, e.PID, e.UID, e.GID, e.Program = 1, 101, 1000, 1000, "lamp"
		return next(e)
	}
	button := func(e event.Event) event.Event {
		e.Ksock, e.PID, e.UID, e.GID, e.Program = 2, 102, 1000, 1000, "switch"
		e.Header.From = 2
		return next(e)
	}
	set, name := message.ID{Serial: 1}, []byte("$.Lamp.Set")
	return []event.Event{
		lamp(event.Event{Kind: event.Opened}),
		lamp(event.Event{Kind: event.Bound, Name: name, AsReplier: true}),
		button(event.Event{Kind: event.Sent, Header: message.Header{ID: set, Flags: message.WantAReply}, Name: name, Data: []byte("on"), Reached: 1, Replier: 1}),
		lamp(event.Event{Kind: event.Taken, Header: message.Header{ID: set, From: 2, Flags: message.WantAReply | message.WantYouToReply}, Name: name}),
		lamp(event.Event{Kind: event.Sent, Header: message.Header{ID: message.ID{Serial: 2}, InReplyTo: set, To: 2, From: 1}, Name: name, Data: []byte("it is on"), Reached: 1}),
		button(event.Event{Kind: event.Sent, Condition: message.ErrNoReplier, Header: message.Header{Flags: message.WantAReply}, Name: []byte("$.Door.Open")}),
		button(event.Event{Kind: event.Sent, Missed: 12, Header: message.Header{ID: message.ID{Serial: 3}}, Name: []byte("$.Picture"), Data: []byte{0, 0xFF, 0x80}, DataBytes: 5000, Skipped: 2}),
		button(event.Event{Kind: event.Sent, Header: message.Header{ID: message.ID{Serial: 4}, Flags: message.WantAReply}, Name: name, Data: []byte("off"), Reached: 1, Replier: 1}),
		lamp(event.Event{Kind: event.Closed}),
		next(event.Event{Kind: event.Status, Header: message.Header{ID: message.ID{Serial: 5}, InReplyTo: message.ID{Serial: 4}, To: 2, Flags: message.Synthetic}, Name: []byte(message.NameGoneAway), Reached: 1}),
	}
}
