package choose

import (
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// What answers a Request of the name is meant, and what answers another of the same id, by another Ksock or on another bus, is not.
func TestChoiceFollowsRequests(t *testing.T) {
	c := Choice{Patterns: []string{"$.Lamp"}}
	id := func(serial uint32) message.ID { return message.ID{Network: 7, Serial: serial} }
	ask := func(name string, bus, by, serial uint32, as message.Condition) event.Event {
		return event.Event{Kind: event.Sent, Bus: bus, Ksock: by, Condition: as, Name: []byte(name), Header: message.Header{ID: id(serial), Flags: message.WantAReply}}
	}
	answer := func(kind event.Kind, name string, bus, to, serial uint32, as message.Condition) event.Event {
		return event.Event{Kind: kind, Bus: bus, Condition: as, Name: []byte(name), Header: message.Header{ID: message.ID{Serial: 1}, To: message.KsockID(to), InReplyTo: id(serial)}}
	}
	const gone = message.NameGoneAway
	for i, step := range []struct {
		e    event.Event
		want bool
	}{
		{ask("$.Lamp", 0, 1, 1, message.OK), true},
		{ask("$.Door", 0, 2, 1, message.OK), false},
		{answer(event.Status, gone, 0, 2, 1, message.OK), false}, // of the door
		{answer(event.Status, gone, 5, 1, 1, message.OK), false}, // of another bus
		{answer(event.Status, gone, 0, 1, 9, message.OK), false}, // of nothing that we know
		{answer(event.Sent, "$.Late", 0, 1, 1, message.ErrNotExpected), true},
		{answer(event.Status, gone, 0, 1, 1, message.OK), true},
		{answer(event.Status, gone, 0, 1, 1, message.OK), false}, // there is one answer only
		{ask("$.Lamp", 0, 1, 2, message.ErrPending), true},
		{ask("$.Lamp", 0, 1, 2, message.ErrNoReplier), true}, // it has waited for room in vain, and gets a Status
		{answer(event.Status, message.NameDisappeared, 0, 1, 2, message.OK), true},
		{ask("$.Lamp", 0, 1, 3, message.ErrNoReplier), true},
		{answer(event.Status, gone, 0, 1, 3, message.OK), false},
		{ask("$.Lamp", 0, 1, 4, message.OK), true},
		{ask("$.Door", 0, 1, 4, message.OK), false}, // the bus has begun anew
		{answer(event.Status, gone, 0, 1, 4, message.OK), false},
		{answer(event.Sent, "$.Lamp", 0, 1, 77, message.OK), true}, // by its name
	} {
		if got := c.Wants(&step.e); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	for serial := range uint32(3 * mostYoung) {
		e := ask("$.Lamp", 0, 1, serial+100, message.OK)
		c.Wants(&e)
	}
	if n := len(c.followed.young) + len(c.followed.old); n > 2*mostYoung {
		t.Errorf("%d are followed", n)
	}
	e := answer(event.Status, gone, 0, 1, 99+3*mostYoung, message.OK)
	if !c.Wants(&e) {
		t.Error("the newest is not followed")
	}
}

// What answers a Request from before the part that is meant belongs to that part when it comes there.
func TestChoiceFollowsRequestsFromBefore(t *testing.T) {
	c := Choice{Patterns: []string{"$.Lamp"}}
	if err := c.From.Set("10s"); err != nil {
		t.Fatal(err)
	}
	asked := event.Event{Kind: event.Sent, Wall: 1, Ksock: 1, Name: []byte("$.Lamp"), Header: message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}}
	failed := event.Event{Kind: event.Status, Wall: 11e9, Name: []byte(message.NameGoneAway), Header: message.Header{InReplyTo: message.ID{Serial: 1}, To: 1}}
	if c.Wants(&asked) || !c.Wants(&failed) {
		t.Error("the time is not that of the part")
	}
}
