package model_test

import (
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// Histories that break each promise, each beside one that just keeps it. Pairs check that real histories keep them all.

// got makes receipts from words such as "5" (an Announcement with serial number 5), "5u" (urgent), "5w"
// (ALL_OR_WAIT), "5p" (picked out of turn), "5y" (a Request to reply to), "5b" and "5e" (a bind and an unbind event),
// "5=3" (the answer to the Request 3 of Ksock 1) and "9:5" (with network id 9).
func got(words string) (receipts []model.Receipt) {
	for _, w := range strings.Fields(words) {
		var r model.Receipt
		r.Name = "$.A"
		if n, rest, ok := strings.Cut(w, ":"); ok {
			r.ID.Network, w = number(n), rest
		}
		if id, request, ok := strings.Cut(w, "="); ok {
			r.InReplyTo.Serial, r.To, w = number(request), 1, id
		}
		r.ID.Serial = number(strings.TrimRight(w, "uwpybe"))
		switch w[len(w)-1] {
		case 'u':
			r.Flags = message.Urgent
		case 'w':
			r.Flags = message.AllOrWait
		case 'p':
			r.Picked = true
		case 'y':
			r.Flags = message.WantAReply | message.WantYouToReply
		case 'b', 'e':
			r.Name, r.Flags = message.NameReplierBindEvent, message.Synthetic|message.AllOrFail
			r.Data = message.AppendBindEvent(nil, message.BindEvent{Bind: w[len(w)-1] == 'b', Binder: 7, Name: "$.A"})
		}
		receipts = append(receipts, r)
	}
	return receipts
}

func receiptHeld(words string) model.Receipt {
	r := got(words)[0]
	r.Held = true
	return r
}

func number(s string) (n uint32) {
	for _, c := range s {
		n = 10*n + uint32(c-'0')
	}
	return n
}

func asked(serials ...uint32) (ids []message.ID) {
	for _, n := range serials {
		ids = append(ids, message.ID{Serial: n})
	}
	return ids
}

func TestCheck(t *testing.T) {
	three := func(a, b, c string) []model.Client {
		return []model.Client{{ID: 1, Got: got(a)}, {ID: 2, Got: got(b)}, {ID: 3, Got: got(c)}}
	}
	asking := func(c model.Client) []model.Client { c.ID = 1; return []model.Client{c} }
	for _, test := range []struct {
		name    string
		history []model.Client
		want    []string // beginnings of the violations
	}{
		{"nothing", nil, nil},
		{"one order, with gaps", three("1 2 3 5", "2 5", "1 3"), nil},

		{"two disagree", three("1 9:9 2", "1 2 9:9", ""), []string{"R4.36: no one order"}},
		{"two agree", three("1 9:9 2", "1 9:9 2", ""), nil},
		{"three disagree, no two of them do", three("9:1 9:2", "9:2 9:3", "9:3 9:1"), []string{"R4.36: no one order"}},
		{"three agree", three("9:1 9:2", "9:2 9:3", "9:1 9:3"), nil},
		{"late, but at once for all", three("1 3w 2", "3w 2", "1 2"), nil},
		{"late, and not at once", three("1 3w 2", "2 3w", "1 2"), []string{"R4.36: no one order"}},
		{"a held one comes late to its Replier", []model.Client{{ID: 1, Copies: 2, Got: append(got("1 2 3"), receiptHeld("1y"))}}, nil},
		{"urgent ones may overtake", three("1 3u 2", "2 1u 3u", "3u"), nil},
		{"picked ones may overtake", three("1 3 2p", "2 3", ""), nil},
		{"events may be late", three("1 2e 4", "1 4 2e", "4 5b"), nil},
		{"before a circle", three("8 9:1 9:2", "8 9:2 9:1 9:7", ""), []string{"R4.36: no one order"}},

		{"a smaller id after a larger", three("2 1", "", ""), []string{"R4.36: Ksock 1 got [0:1] after [0:2]"}},
		{"numbers that go round", three("4294967294 4294967295 1 2", "", ""), nil},
		{"ids of other buses", three("9:5 9:4", "", ""), nil},
		{"unbind events in order", three("7b 3e 4e", "", ""), nil},
		{"unbind events out of order", three("4e 3e", "", ""), []string{"R4.36: Ksock 1 got [0:3] after [0:4]"}},

		{"answered", asking(model.Client{Asked: asked(1, 2), Got: got("3=1 4=2")}), nil},
		{"not answered", asking(model.Client{Asked: asked(1), Got: got("2 3")}),
			[]string{"R5.1: Ksock 1 asked [0:1] and got 0"}},
		{"left before the answer", asking(model.Client{Asked: asked(1), Left: true}), nil},
		{"answered twice", asking(model.Client{Asked: asked(1), Got: got("3=1 4=1"), Left: true}),
			[]string{"R5.1: Ksock 1 asked [0:1] and got 2"}},
		{"heard its own answer too", asking(model.Client{Asked: asked(1), Got: got("3=1 3=1"), Copies: 2}), nil},
		{"never asked", asking(model.Client{Got: got("3=1")}), []string{"R4.13: Ksock 1 got the answers [[0:3]] to [0:1]"}},
		{"heard the answer to another", []model.Client{{ID: 2, Got: got("3=1")}}, nil},

		{"twice the same", three("1 2 2", "", ""), []string{"R4.21: Ksock 1 got [0:2] more than 1"}},
		{"again later", three("1 2 1w", "", ""), []string{"R4.21: Ksock 1 got [0:1] more than 1"}},
		{"two bindings", []model.Client{{ID: 1, Copies: 2, Got: got("1 1 2 2")}}, nil},
		{"three copies", []model.Client{{ID: 1, Copies: 2, Got: got("1 1 1")}},
			[]string{"R4.21: Ksock 1 got [0:1] more than 2"}},

		{"asked once", three("1y", "1", "1"), nil},
		{"asked twice", three("1y", "1", "1y"), []string{"R4.23: both Ksock 1 and Ksock 3"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			violations := model.Check(test.history)
			ok := len(violations) == len(test.want)
			for i := range test.want {
				ok = ok && strings.HasPrefix(violations[i], test.want[i])
			}
			if !ok {
				t.Fatalf("got %q, want %q", violations, test.want)
			}
		})
	}
}

// remember notes what k received.
func (p *pair) remember(k *ksock, m message.Message, ok, picked bool) {
	if ok {
		k.seen.Got = append(k.seen.Got, model.Receipt{Message: m, Picked: picked, Held: model.WasHeld(p.model, m.ID)})
	}
}

// ask notes a Request that will be answered.
func (k *ksock) ask(id message.ID, given message.Condition) {
	if given == message.OK || given == message.ErrPending {
		k.seen.Asked = append(k.seen.Asked, id)
	}
}

// forget takes back a Request that will not be answered.
func (k *ksock) forget(id message.ID) {
	for i := range k.seen.Asked {
		if k.seen.Asked[i] == id {
			k.seen.Asked = append(k.seen.Asked[:i:i], k.seen.Asked[i+1:]...)
			return
		}
	}
}

// drain discards what waits for room and reads all there is.
func (p *pair) drain() {
	for _, k := range p.ksocks {
		if k.m.Sending() {
			p.discard(k)
		}
	}
	for _, k := range p.ksocks {
		for p.model.NumMessages(k.m) > 0 {
			p.next(k)
			p.follow()
		}
	}
}
