package envelope

import (
	"testing"

	"kbus.example/kbus/message"
)

// A message of a bus gets the ids by which others know it, and one that a pair has brought keeps those that it has.
func TestExport(t *testing.T) {
	bus := Bus{Member: 7, Incarnation: 70}
	for _, c := range []struct{ from, want message.Header }{
		{
			from: message.Header{ID: message.ID{Serial: 1}, From: 3, Flags: message.WantAReply | message.WantYouToReply},
			want: message.Header{ID: message.ID{Network: 7, Serial: 1}, From: 3, OrigFrom: message.Origin{Network: 7, Local: 3},
				Extra: 70, Flags: message.WantAReply},
		},
		{ // brought by a pair
			from: message.Header{ID: message.ID{Network: 9, Serial: 1}, From: 3, OrigFrom: message.Origin{Network: 9, Local: 5}, Extra: 90},
			want: message.Header{ID: message.ID{Network: 9, Serial: 1}, From: 3, OrigFrom: message.Origin{Network: 9, Local: 5}, Extra: 90},
		},
		{ // by an original Limpet, which knows no incarnation
			from: message.Header{ID: message.ID{Network: 9, Serial: 1}, OrigFrom: message.Origin{Network: 9, Local: 5}},
			want: message.Header{ID: message.ID{Network: 9, Serial: 1}, OrigFrom: message.Origin{Network: 9, Local: 5}, Extra: 70},
		},
		{ // a Reply
			from: message.Header{ID: message.ID{Serial: 2}, InReplyTo: message.ID{Serial: 1}, From: 3},
			want: message.Header{ID: message.ID{Network: 7, Serial: 2}, InReplyTo: message.ID{Network: 7, Serial: 1}, From: 3,
				OrigFrom: message.Origin{Network: 7, Local: 3}, Extra: 70},
		},
	} {
		m := message.Message{Header: c.from}
		if bus.Export(&m); m.Header != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.from, m.Header, c.want)
		}
	}
}

// What the sender wanted on its own bus does not hold up ours, and a Reply to a Request of ours is one on our bus.
func TestImport(t *testing.T) {
	bus := Bus{Member: 7, Incarnation: 70}
	m := message.Message{Header: message.Header{
		ID: message.ID{Network: 9, Serial: 2}, InReplyTo: message.ID{Network: 7, Serial: 1},
		Flags: message.Urgent | message.AllOrWait | message.AllOrFail | message.WantYouToReply,
	}}
	bus.Import(&m)
	want := message.Header{ID: message.ID{Network: 9, Serial: 2}, InReplyTo: message.ID{Serial: 1}, Flags: message.Urgent}
	if m.Header != want {
		t.Errorf("%+v, want %+v", m.Header, want)
	}
	m.InReplyTo = message.ID{Network: 8, Serial: 1}
	if bus.Import(&m); m.InReplyTo.Network != 8 {
		t.Errorf("a Reply to another member: %+v", m.Header)
	}
}
