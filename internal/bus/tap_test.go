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
