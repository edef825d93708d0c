package bus_test

import (
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// hasty is a sender that writes on in its memory while the message is being delivered: at the moment when the bus has made
// the recipients' copy.
type hasty struct{ memory []byte }

func (h *hasty) Keep(data []byte, recipients int) []byte {
	kept := append([]byte(nil), data...)
	copy(h.memory, "changed")
	return kept
}

func (h *hasty) Release([]byte) {}

type seen struct {
	data    string
	forgets bool
	blind   bool
	unseen  int
	events  int
	shown   *byte // where the data lies
}

func (s *seen) Blind() bool { return s.blind }
func (s *seen) Unseen()     { s.unseen++ }

func (s *seen) KeepsData(e *bus.Event) bool {
	if e.Kind != bus.EventSent || e.Ksock == 0 || len(e.Name) == 0 {
		panic(e)
	}
	return !s.forgets
}

func (s *seen) Tapped(e *bus.Event) {
	s.events++
	if e.Kind == bus.EventSent {
		s.data, s.shown = string(e.Data), &e.Data[0]
	}
}

// For a tap that keeps nothing there is no copy.
func TestTapThatKeepsNothing(t *testing.T) {
	data := []byte("as sent")
	b := bus.New(bus.Config{})
	k, _ := b.Open(bus.Owner{})
	for _, forgets := range []bool{true, false} {
		tap := &seen{forgets: forgets}
		b.SetTap(tap)
		b.Send(k, &message.Header{}, []byte("$.A"), data)
		if tap.data != "as sent" || (tap.shown == &data[0]) != forgets {
			t.Errorf("shown %q, where it is: %v", tap.data, tap.shown == &data[0])
		}
	}
}

// For a tap that is blind nothing is made up, and what another is shown is counted, a send that is refused too.
func TestBlindTap(t *testing.T) {
	counts := map[bool]int{}
	for _, blind := range []bool{false, true} {
		b := bus.New(bus.Config{})
		tap := &seen{blind: blind, forgets: true}
		b.SetTap(tap)
		k, _ := b.Open(bus.Owner{})
		b.Bind(k, "$.A", true)
		for _, name := range []string{"$.A", "$.A", "$.B"} {
			b.Send(k, &message.Header{Flags: message.WantAReply}, []byte(name), []byte("x"))
		}
		d, _ := b.Next(k)
		b.Release(&d)
		b.Close(k)
		counts[blind] = tap.events
		if blind && (tap.unseen == 0 || tap.events != 0) {
			t.Errorf("%d counted, shown %d", tap.unseen, tap.events)
		}
		counts[blind] += tap.unseen
	}
	if counts[true] != counts[false] {
		t.Errorf("one was shown %d, of which %d were counted for one that is blind", counts[false], counts[true])
	}
}

// A tap is shown what the recipients get, whatever the sender does meanwhile.
func TestTapSeesWhatRecipientsGet(t *testing.T) {
	sender := &hasty{memory: []byte("as sent")}
	b := bus.New(bus.Config{Keeper: sender})
	tap := &seen{}
	b.SetTap(tap)
	k, _ := b.Open(bus.Owner{})
	if c := b.Bind(k, "$.A", false); c != message.OK {
		t.Fatal(c)
	}
	b.Send(k, &message.Header{}, []byte("$.A"), sender.memory)
	d, ok := b.Next(k)
	if !ok || string(d.Data) != "as sent" || tap.data != "as sent" {
		t.Errorf("received %q, shown %q", d.Data, tap.data)
	}
	b.Release(&d)
}

// heads keeps the headers of what is sent.
type heads struct{ all []bus.Event }

func (h *heads) Blind() bool               { return false }
func (h *heads) Unseen()                   {}
func (h *heads) KeepsData(*bus.Event) bool { return false }
func (h *heads) Tapped(e *bus.Event) {
	if e.Kind == bus.EventSent {
		h.all = append(h.all, *e)
	}
}

// A refused message is not shown with an id of the bus's that its sender has made up, for that is another message's. One that has
// waited is shown with the id that it has had, and an id of a network stays.
func TestTapShowsNoInventedID(t *testing.T) {
	b := bus.New(bus.Config{})
	k, _ := b.Open(bus.Owner{})
	full, _ := b.Open(bus.Owner{})
	b.Bind(full, "$.Full", true)
	b.SetMaxMessages(full, 1)
	b.Send(k, &message.Header{Flags: message.WantAReply}, []byte("$.Full"), nil)
	tap := &heads{}
	b.SetTap(tap)
	h := message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}
	b.Send(k, &h, []byte("$.None"), nil)
	h.ID.Network = 7
	b.Send(k, &h, []byte("$.None"), nil)
	h.ID, h.Flags = message.ID{Serial: 1}, message.WantAReply|message.AllOrWait
	waits := b.Send(k, &h, []byte("$.Full"), nil)
	b.Unbind(full, "$.Full", true)
	b.Resend(k)
	want := []message.ID{{}, {Network: 7, Serial: 1}, waits.ID, waits.ID}
	if len(tap.all) != len(want) || waits.Err != message.ErrPending || waits.ID.Serial == 1 {
		t.Fatalf("%+v, %+v", tap.all, waits)
	}
	for i, e := range tap.all {
		if e.Header.ID != want[i] {
			t.Errorf("the id of message %d is %v, want %v (%v)", i, e.Header.ID, want[i], e.Err)
		}
	}
}
