package requests

import (
	"testing"
	"time"

	"kbus.example/kbus"
)

// However many answers are missed, only so many Requests are kept.
func TestOpenRequestsAreBounded(t *testing.T) {
	open := Open{}
	for n := range uint32(Most + 10) {
		e := &kbus.Event{Event: kbus.EventSent}
		e.ID.Serial, e.Flags, e.Message.Name = n+1, kbus.WantAReply, "$.A"
		if r := open.Note(e); r == nil || open[Key{e.ID, 0}] != r {
			t.Fatal("the newest is not followed")
		}
	}
	if len(open) != Most {
		t.Errorf("%d are open", len(open))
	}
}

// Requests are followed from their sending to their end; those that wait long are found.
func TestRequests(t *testing.T) {
	open, began := Open{}, time.Unix(1000, 0)
	at := func(ms int, kind kbus.EventKind, m *kbus.Message, serial uint32, err error) *kbus.Event {
		m.ID, m.From = kbus.ID{Serial: serial}, 7
		e := &kbus.Event{Message: *m, Event: kind, Err: err, Time: began.Add(time.Duration(ms) * time.Millisecond), By: kbus.Peer{Ksock: 7}}
		if err == nil {
			e.Replier = 7
		}
		return e
	}
	reply := func(to uint32) *kbus.Message {
		return &kbus.Message{Name: "$.A", Header: kbus.Header{To: 7, InReplyTo: kbus.ID{Serial: to}}}
	}
	open.Note(at(0, kbus.EventSent, kbus.Request("$.A", ""), 1, nil))
	open.Note(at(10, kbus.EventSent, kbus.Request("$.B", ""), 2, kbus.ErrPending))
	open.Note(at(20, kbus.EventSent, kbus.Request("$.C", ""), 3, kbus.ErrNoReplier))
	open.Note(at(20, kbus.EventSent, kbus.Announcement("$.D", ""), 4, nil))
	open.Note(at(30, kbus.EventTaken, kbus.Request("$.A", ""), 1, nil))
	if old := open.OlderThan(began.Add(time.Second)); len(old) != 2 || old[0].Name != "$.A" || old[1].Name != "$.B" || old[0].Replier != 7 {
		t.Fatalf("%+v", old)
	}
	if old := open.OlderThan(began.Add(5 * time.Millisecond)); len(old) != 1 {
		t.Fatalf("%+v", old)
	}
	if r := open.Note(at(40, kbus.EventSent, reply(1), 5, kbus.ErrPending)); r != nil { // a Listener has no room for it yet
		t.Errorf("%+v", r)
	}
	if r := open.Note(at(50, kbus.EventSent, reply(1), 5, nil)); r == nil || r.Lasted() != 50*time.Millisecond || !r.Answered {
		t.Errorf("%+v", r)
	}
	if r := open.Note(at(60, kbus.EventSent, kbus.Request("$.B", ""), 2, kbus.ErrNoReplier)); r == nil || !r.Answered || len(open) != 0 {
		t.Errorf("%+v, %d open", r, len(open))
	}
}

// A Request is no other Ksock's, whatever id that may choose: a refusal ends only what its own sender has waiting.
func TestRequestsOfTheSameID(t *testing.T) {
	open := Open{}
	sent := func(by, replier kbus.KsockID, err error) *Request {
		e := &kbus.Event{Event: kbus.EventSent, Err: err, By: kbus.Peer{Ksock: by}, Replier: replier}
		e.ID, e.Flags, e.Message.Name = kbus.ID{Serial: 1}, kbus.WantAReply, "$.A"
		return open.Note(e)
	}
	first := sent(1, 9, nil)
	if r := sent(2, 0, kbus.ErrNoReplier); r != nil || len(open) != 1 {
		t.Errorf("a stranger's refusal ends %+v", r)
	}
	if r := sent(1, 0, kbus.ErrNoReplier); r != nil || len(open) != 1 {
		t.Errorf("the refusal of another ends what its Replier has: %+v", r)
	}
	second := sent(2, 9, nil)
	taken := &kbus.Event{Event: kbus.EventTaken, By: kbus.Peer{Ksock: 8}}
	taken.ID, taken.From = kbus.ID{Serial: 1}, 2
	if r := open.Note(taken); r != second || first.Replier != 9 || second.Replier != 8 {
		t.Errorf("%+v is taken", r)
	}
	status := &kbus.Event{Event: kbus.EventStatus}
	status.InReplyTo, status.To = kbus.ID{Serial: 1}, 1
	if r := open.Note(status); r != first || len(open) != 1 {
		t.Errorf("%+v is answered", r)
	}
}
