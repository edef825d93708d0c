package message

import "testing"

// R1.14: what a message is follows from its content, in this order.
func TestKind(t *testing.T) {
	reply := ID{0, 1}
	for _, c := range []struct {
		m    Message
		want Kind
		word string
	}{
		{Message{Name: "$.A"}, AnnouncementKind, "Announcement"},
		{Message{Name: "$.A", Header: Header{To: 3}}, AnnouncementKind, "Announcement"}, // R11.18
		{Message{Name: "$.A", Header: Header{Flags: WantYouToReply | Synthetic}}, AnnouncementKind, "Announcement"},
		{Message{Name: NameReplierBindEvent, Header: Header{Flags: Synthetic}}, AnnouncementKind, "Announcement"},
		{Message{Name: "$.A", Header: Header{Flags: WantAReply}}, RequestKind, "Request"},
		{Message{Name: "$.A", Header: Header{Flags: WantAReply, To: 3}}, RequestKind, "Request"},
		{Message{Name: "$.A", Header: Header{InReplyTo: reply}}, ReplyKind, "Reply"},
		{Message{Name: "$.A", Header: Header{InReplyTo: ID{1, 0}}}, ReplyKind, "Reply"},
		{Message{Name: "$.A", Header: Header{InReplyTo: reply, Flags: WantAReply}}, ReplyKind, "Reply"},
		{Message{Name: NameGoneAway, Header: Header{InReplyTo: reply}}, StatusKind, "Status"},
		{Message{Name: "$.KBUS", Header: Header{InReplyTo: reply}}, ReplyKind, "Reply"},
		{Message{Name: "$.KBUSX.A", Header: Header{InReplyTo: reply}}, ReplyKind, "Reply"},
	} {
		if got := c.m.Kind(); got != c.want || got.String() != c.word {
			t.Errorf("%v is a %v, want %v", c.m, got, c.want)
		}
	}
}

// R1.15, R4.43: the tests on the header are independent of each other.
func TestHeaderTests(t *testing.T) {
	for _, c := range []struct {
		h                               Header
		reply, request, stateful, wants bool
	}{
		{Header{}, false, false, false, false},
		{Header{Flags: WantAReply}, false, true, false, false},
		{Header{Flags: WantAReply, To: 1}, false, true, true, false},
		{Header{To: 1}, false, false, false, false},
		{Header{Flags: WantYouToReply}, false, false, false, false},
		{Header{Flags: WantAReply | WantYouToReply}, false, true, false, true},
		{Header{Flags: WantAReply, InReplyTo: ID{Serial: 1}}, true, true, false, false},
	} {
		h := &c.h
		if h.IsReply() != c.reply || h.IsRequest() != c.request || h.IsStatefulRequest() != c.stateful ||
			h.WantsUsToReply() != c.wants {
			t.Errorf("%+v: %t %t %t %t", c.h, h.IsReply(), h.IsRequest(), h.IsStatefulRequest(), h.WantsUsToReply())
		}
	}
}

// R1.10, R2.20, R10.20, R10.21.
func TestIDs(t *testing.T) {
	if s := (ID{3, 4}).String() + (Origin{3, 4}).String(); s != "[3:4](3,4)" {
		t.Error(s)
	}
	for _, c := range []struct {
		a, b uint32
		zero bool
	}{{0, 0, true}, {0, 1, false}, {1, 0, false}} {
		if (ID{c.a, c.b}).IsZero() != c.zero || (Origin{c.a, c.b}).IsZero() != c.zero {
			t.Error(c)
		}
	}
}

// R2.17: the values of the bits are part of every protocol.
func TestFlagValues(t *testing.T) {
	for f, want := range map[Flags]uint32{
		WantAReply: 1, WantYouToReply: 2, Synthetic: 4, Urgent: 8, AllOrWait: 0x100, AllOrFail: 0x200,
	} {
		if uint32(f) != want {
			t.Errorf("%#x, want %#x", uint32(f), want)
		}
	}
	if f := WantAReply | Urgent; !f.Has(Urgent) || f.Has(Urgent|Synthetic) {
		t.Error("Has wants all bits")
	}
}
