package routing

import (
	"strings"
	"testing"
	"time"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// Something on the way lets only what is short through. Who has asked with something long is told so after some tries, and
// so is who was to get a long Reply; what is short goes on meanwhile.
func TestNothingLongComesThrough(t *testing.T) {
	for _, longOne := range []string{"Request", "Reply"} {
		a, b := NewAsker(Self{1, 1}), NewAnswerer(Self{2, 1})
		now := time.Unix(100, 0)
		m := message.Message{Header: message.Header{ID: message.ID{Serial: 7}, From: 5, Flags: message.WantAReply}, Name: "$.Q"}
		reply := message.Message{Header: message.Header{InReplyTo: message.ID{Network: 1, Serial: 7}}, Name: "$.Q"}
		data := &m.Data
		if longOne == "Reply" {
			data = &reply.Data
		}
		*data = make([]byte, 5000)
		parcel, _ := a.Ask(now, m, message.ID{Network: 1, Serial: 7}, 2, 1)
		var out Out
		out.Parcels = append(out.Parcels, parcel)
		sent := 0
		for end := now.Add(5 * time.Second); len(out.Statuses) == 0; now = now.Add(100 * time.Millisecond) {
			if now.After(end) {
				t.Fatalf("a long %s: nothing is said after 5 s", longOne)
			}
			a.Tick(now, &out)
			parcels := out.Parcels
			out = Out{Statuses: out.Statuses}
			for _, e := range parcels {
				if e.Bytes() > 4000 {
					sent++
					continue // lost on the way
				}
				switch a.Alive(now, e.Member, e.Epoch, &out); e.Kind {
				case envelope.Request:
					if b.Asked(&e, &out) == Deliver {
						b.Delivered(e.ID, &out)
						b.Replied(reply, &out)
					}
				case envelope.Queued:
					a.Queued(e.Member, e.InReplyTo)
				case envelope.Probe:
					b.Probed(e.Member, e.Epoch, envelope.IDs(e.Data), &out)
				case envelope.States:
					a.States(e.Member, envelope.StatesOf(e.Data), &out)
				case envelope.Reply:
					_, _, _, ok := a.Replied(e.Member, e.Epoch, e.InReplyTo)
					if !ok {
						t.Fatal("an answer to nothing")
					}
					out.Statuses = append(out.Statuses, Status{Name: e.Name, Why: string(e.Data)})
				}
			}
		}
		s := out.Statuses[0]
		if s.Name != "$.KBUS.RemoteError.90" || !strings.Contains(s.Why, longOne) || !strings.Contains(s.Why, "5000 bytes") || sent > tries {
			t.Errorf("a long %s, sent %d times: %+v", longOne, sent, s)
		}
		if a.Open() != 0 {
			t.Errorf("%d are open", a.Open())
		}
	}
}

// A Request for which there was no room is refused again if the refusal was lost, and taken when there is room.
func TestRefusalLost(t *testing.T) {
	b := NewAnswerer(Self{2, 1})
	var out Out
	asked := func(serial uint32) Step {
		m := message.Message{Header: message.Header{ID: message.ID{Network: 1, Serial: serial}}, Name: "$.Q"}
		e := Self{1, 1}.compose(envelope.Request, 2, 1, m)
		e.Count = uint64(serial)
		return b.Asked(&e, &out)
	}
	for serial := range uint32(MaxKept) {
		if step := asked(1 + serial); step != Deliver {
			t.Fatalf("Request %d: %d", 1+serial, step)
		}
	}
	for _, when := range []string{"at first", "again"} {
		if step := asked(MaxKept + 1); step != Refuse {
			t.Errorf("one too many, %s: %d", when, step)
		}
	}
	first := message.ID{Network: 1, Serial: 1}
	b.Replied(message.Message{Header: message.Header{InReplyTo: first}, Name: "$.Q"}, &out)
	b.Thanked(1, first)
	if step := asked(MaxKept + 1); step != Deliver {
		t.Errorf("when there is room: %d", step)
	}
}

// A sign of life costs the same, however many Requests are open.
func TestManyOpen(t *testing.T) {
	a := NewAsker(Self{1, 1})
	var out Out
	now := time.Unix(100, 0)
	const n = 10000
	ask := func(serial uint32, epoch uint64) {
		m := message.Message{Header: message.Header{ID: message.ID{Serial: serial}, From: 5, Flags: message.WantAReply}, Name: "$.Q"}
		if _, ok := a.Ask(now, m, message.ID{Network: 1, Serial: serial}, 2, epoch); !ok {
			t.Fatalf("Request %d is open already", serial)
		}
	}
	for i := range uint32(n) {
		ask(1+i, 3)
	}
	for range n {
		a.Alive(now, 2, 3, &out)
	}
	if a.steps > 10*n || a.Open() != n {
		t.Errorf("%d Requests are open, and were looked at %d times in %d signs of life", a.Open(), a.steps, n)
	}
	ask(n+1, 2) // whoever asks may know less than we
	if a.Alive(now, 2, 3, &out); len(out.Statuses) != 1 || out.Statuses[0].ID.Serial != n+1 {
		t.Errorf("of an epoch that is over: %v", out.Statuses)
	}
	if a.Alive(now, 2, 4, &out); a.Open() != 0 || len(out.Statuses) != n+1 {
		t.Errorf("%d are open, %d have a Status", a.Open(), len(out.Statuses))
	}
}
