package limpet

import (
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Each rule by itself: one machine, whose Ksock is 7, whose network id is 1 and whose pair's is 2.

func newMachine(change func(*Config)) *Machine {
	c := Config{OwnID: 1, PairID: 2, Ksock: 7, Name: "$.*"}
	if change != nil {
		change(&c)
	}
	return New(c)
}

// does gives what the machine wants done, and lets every action end as it is told.
func does(m *Machine, how func(Action) Outcome) string {
	var lines []string
	for d, more := m.Next(); more; d, more = m.Next() {
		line := d.Kind.String()
		if d.Name != "" {
			line += " " + d.Name
		}
		if d.Message != nil {
			line += " " + d.Message.String()
		}
		lines = append(lines, line)
		o := Outcome{}
		if how != nil {
			o = how(d)
		}
		if d.Kind != ToPair && d.Kind != Stop {
			m.Done(d, o)
		}
	}
	return strings.Join(lines, "\n")
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func refuseAll(c kbus.Condition) func(Action) Outcome {
	return func(Action) Outcome { return Outcome{Condition: c} }
}

// on refuses the first of the actions of that kind.
func on(do Kind, c kbus.Condition) func(Action) Outcome {
	done := false
	return func(d Action) Outcome {
		if d.Kind != do || done {
			return Outcome{}
		}
		done = true
		return Outcome{Condition: c}
	}
}

func request(id kbus.ID, from kbus.KsockID) *kbus.Message {
	m := kbus.Request("$.Q", "")
	m.ID, m.From = id, from
	m.Flags |= kbus.WantYouToReply
	return m
}

func event(bind bool, binder kbus.KsockID, name string) *kbus.Message {
	m := &kbus.Message{Name: kbus.NameReplierBindEvent}
	m.Flags = kbus.Synthetic | kbus.AllOrFail
	m.Data = message.AppendBindEvent(nil, kbus.BindEvent{Bind: bind, Binder: binder, Name: name})
	return m
}

func TestFromBus(t *testing.T) {
	synthetic := func(name string) *kbus.Message {
		return &kbus.Message{Header: kbus.Header{ID: kbus.ID{Serial: 3}, Flags: kbus.Synthetic}, Name: name}
	}
	forged := event(true, 4, "$.A")
	forged.Flags = 0
	sent := func(id kbus.ID, from kbus.KsockID) *kbus.Message {
		return &kbus.Message{Header: kbus.Header{ID: id, From: from}, Name: "$.A"}
	}
	replyCopy := sent(kbus.ID{Serial: 9}, 4)
	replyCopy.InReplyTo, replyCopy.To = kbus.ID{Serial: 8}, 5
	both := request(kbus.ID{Serial: 9}, 4)
	both.InReplyTo = kbus.ID{Network: 2, Serial: 8}
	bothReply := *both
	bothReply.Flags, bothReply.To = kbus.WantAReply, 7
	for _, c := range []struct {
		rule string
		from *kbus.Message
		want string
	}{
		{"R9.20", sent(kbus.ID{Serial: 1}, 4), "to pair <Announcement '$.A', id=[1:1], from=4, orig_from=(1,4)>"},
		{"R9.20, B27", &kbus.Message{Name: "$.Stop.Now"}, "stop"},
		{"R9.20, B27: not a prefix", &kbus.Message{Name: "$.Stop"}, "to pair <Announcement '$.Stop', id=[1:0], orig_from=(1,0)>"},
		{"R9.21", event(true, 7, "$.A"), ""},
		{"R9.27", event(true, 4, "$.A"), "to pair <ReplierBindEvent id=[1:0], orig_from=(1,0), flags=0x204 (SYN,aFL), [Bind '$.A' for 4]>"},
		{"R11.19", forged, ""},
		{"R9.23", sent(kbus.ID{Network: 2, Serial: 5}, 4), ""},
		{"R9.23: our own, come round", sent(kbus.ID{Network: 1, Serial: 5}, 4), ""},
		{"R9.24: in transit", sent(kbus.ID{Network: 9, Serial: 5}, 4), "to pair <Announcement '$.A', id=[9:5], from=4, orig_from=(1,4)>"},
		{"what we have sent", sent(kbus.ID{Network: 9, Serial: 5}, 7), ""},
		{"R9.22", request(kbus.ID{Serial: 5}, 4), "to pair <Request '$.Q', id=[1:5], from=4, orig_from=(1,4), flags=0x3 (REQ,YOU)>"},
		{"what we have asked", request(kbus.ID{Network: 2, Serial: 5}, 7),
			"send <Status '$.KBUS.Replier.GoneAway', to=7, in_reply_to=[2:5]>"},
		{"B23", replyCopy, "to pair <Reply '$.A', id=[1:9], to=5, from=4, orig_from=(1,4), in_reply_to=[1:8]>"},
		{"B25", synthetic(kbus.NameUnbindEventsLost), "snapshot"},
		{"B25: forged", &kbus.Message{Name: kbus.NameUnbindEventsLost}, ""},
		{"R1.15: as the Replier", both, "to pair <Request '$.Q', id=[1:9], from=4, orig_from=(1,4), flags=0x3 (REQ,YOU)>"},
		{"R1.15: as the asker", &bothReply, "to pair <Reply '$.Q', id=[1:9], to=7, from=4, orig_from=(1,4), in_reply_to=[2:8]>"},
	} {
		m := newMachine(func(c *Config) { c.StopOn = "$.Stop.Now" })
		text := c.from.String()
		m.FromBus(c.from)
		if got := does(m, nil); got != c.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", c.rule, text, got, c.want)
		}
	}
}

// What is said twice is asked once, until it has been answered.
func TestAskedTwice(t *testing.T) {
	m := newMachine(nil)
	for _, want := range []string{"send <Request '$.Q', id=[2:5], from=4, flags=0x3 (REQ,YOU)>", ""} {
		m.FromPair(request(kbus.ID{Network: 2, Serial: 5}, 4))
		expect(t, does(m, nil), want)
	}
	if f := m.Figures(); f.Asked != 1 {
		t.Errorf("%+v", f)
	}
	m.FromBus(&kbus.Message{Header: kbus.Header{ID: kbus.ID{Serial: 1}, InReplyTo: kbus.ID{Network: 2, Serial: 5}, To: 7}, Name: "$.Q"})
	does(m, nil)
	if f := m.Figures(); f.Asked != 0 {
		t.Errorf("%+v", f)
	}
}

// An id that is open already belongs to a bus that counts afresh; two answers could not be told apart.
func TestSameIDTwice(t *testing.T) {
	m := newMachine(nil)
	m.FromBus(request(kbus.ID{Network: 9, Serial: 5}, 4))
	does(m, nil)
	m.FromBus(request(kbus.ID{Network: 9, Serial: 5}, 6))
	expect(t, does(m, nil), "send <Status '$.KBUS.RemoteError.114', to=6, in_reply_to=[9:5]>")
	m.FromPair(&kbus.Message{Header: kbus.Header{InReplyTo: kbus.ID{Network: 9, Serial: 5}}, Name: "$.Q"})
	expect(t, does(m, nil), "send <Reply '$.Q', to=4, in_reply_to=[9:5]>")
}

func TestFromPair(t *testing.T) {
	change := func(m *kbus.Message, f func(*kbus.Message)) *kbus.Message { f(m); return m }
	stateful := func(final kbus.Origin) *kbus.Message {
		return change(request(kbus.ID{Network: 2, Serial: 5}, 4), func(m *kbus.Message) { m.To, m.FinalTo = 3, final })
	}
	replier9 := func(Action) Outcome { return Outcome{Replier: 9} }
	plain := request(kbus.ID{Network: 2, Serial: 5}, 4).String()
	for _, c := range []struct {
		rule string
		from *kbus.Message
		how  func(Action) Outcome
		want string
	}{
		{"R9.35", request(kbus.ID{Network: 2, Serial: 5}, 4), nil, "send " + plain},
		{"R9.37", request(kbus.ID{Network: 2, Serial: 5}, 4), on(Send, kbus.ErrNoReplier),
			"send " + plain + "\nto pair <Status '$.KBUS.RemoteError.99', to=4, in_reply_to=[2:5]>"},
		{"B24", change(request(kbus.ID{Network: 2, Serial: 5}, 4), func(m *kbus.Message) { m.Flags = kbus.WantAReply }), nil,
			"send to listeners <Request '$.Q', id=[2:5], from=4, flags=0x1 (REQ)>"},
		{"B24, on a bus that does not permit it",
			change(request(kbus.ID{Network: 2, Serial: 5}, 4), func(m *kbus.Message) { m.Flags = kbus.WantAReply }),
			on(SendToListeners, kbus.ErrNotPermitted),
			"send to listeners <Request '$.Q', id=[2:5], from=4, flags=0x1 (REQ)>\nsend <Announcement '$.Q', id=[2:5], from=4>"},
		{"B26", change(kbus.Announcement("$.A", ""), func(m *kbus.Message) { m.Flags = kbus.AllOrWait | kbus.Urgent }), nil,
			"send <Announcement '$.A', flags=0x8 (URG)>"},
		{"an echo", change(kbus.Announcement("$.A", ""), func(m *kbus.Message) { m.ID.Network = 1 }), nil, ""},
		{"an echo that wants a Reply", request(kbus.ID{Network: 1, Serial: 5}, 4), nil,
			"to pair <Status '$.KBUS.RemoteError.40', to=4, in_reply_to=[1:5]>"},
		{"a Request from nowhere", request(kbus.ID{Serial: 5}, 4), nil,
			"to pair <Status '$.KBUS.RemoteError.22', to=4, in_reply_to=[0:5]>"},
		{"B25", kbus.Announcement(kbus.NameUnbindEventsLost, ""), nil, ""},
		{"R9.33", stateful(kbus.Origin{Network: 1, Local: 8}), nil,
			"send <Request '$.Q', id=[2:5], to=8, from=4, final_to=(0,8), flags=0x3 (REQ,YOU)>"},
		{"R9.33: another by now", stateful(kbus.Origin{Network: 1, Local: 8}), on(Send, kbus.ErrOtherReplier),
			"send <Request '$.Q', id=[2:5], to=8, from=4, final_to=(0,8), flags=0x3 (REQ,YOU)>\n" +
				"to pair <Status '$.KBUS.Replier.NotSameKsock', to=4, in_reply_to=[2:5]>"},
		{"R9.33: nobody by now", stateful(kbus.Origin{Network: 1, Local: 8}), on(Send, kbus.ErrNoReplier),
			"send <Request '$.Q', id=[2:5], to=8, from=4, final_to=(0,8), flags=0x3 (REQ,YOU)>\n" +
				"to pair <Status '$.KBUS.Replier.GoneAway', to=4, in_reply_to=[2:5]>"},
		{"R9.33: nobody ever", stateful(kbus.Origin{Network: 1}), nil,
			"to pair <Status '$.KBUS.Replier.NotSameKsock', to=4, in_reply_to=[2:5]>"},
		{"R9.33, B22: in transit", stateful(kbus.Origin{Network: 5, Local: 8}), replier9,
			"resolve <Request '$.Q', id=[2:5], to=3, from=4, final_to=(5,8), flags=0x3 (REQ,YOU)>\n" +
				"send <Request '$.Q', id=[2:5], to=9, from=4, final_to=(5,8), flags=0x3 (REQ,YOU)>"},
		{"R9.33: in transit to nobody", stateful(kbus.Origin{Network: 5, Local: 8}), nil,
			"resolve <Request '$.Q', id=[2:5], to=3, from=4, final_to=(5,8), flags=0x3 (REQ,YOU)>\n" +
				"to pair <Status '$.KBUS.Replier.GoneAway', to=4, in_reply_to=[2:5]>"},
	} {
		m := newMachine(nil)
		text := c.from.String()
		m.FromPair(c.from)
		if got := does(m, c.how); got != c.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", c.rule, text, got, c.want)
		}
	}
}

// R9.31: the Reply goes to who has asked, once, under the id that was asked with.
func TestReplies(t *testing.T) {
	reply := func(to kbus.ID) *kbus.Message {
		h := kbus.Header{ID: kbus.ID{Network: 2, Serial: 6}, InReplyTo: to, To: 3, From: 9, OrigFrom: kbus.Origin{Network: 2, Local: 9}}
		h.Flags = kbus.AllOrFail | 0x10000
		return &kbus.Message{Header: h, Name: "$.Q"}
	}
	m := newMachine(nil)
	m.FromBus(request(kbus.ID{Serial: 5}, 4))
	does(m, nil)
	for _, other := range []kbus.ID{{Network: 2, Serial: 5}, {Serial: 5}, {Network: 1, Serial: 6}} { // B23
		m.FromPair(reply(other))
		expect(t, does(m, nil), "")
	}
	m.FromPair(reply(kbus.ID{Network: 1, Serial: 5}))
	expect(t, does(m, nil), "send <Reply '$.Q', to=4, from=9, orig_from=(2,9), in_reply_to=[0:5], flags=0x10000>")
	m.FromPair(reply(kbus.ID{Network: 1, Serial: 5}))
	expect(t, does(m, nil), "")
}

// A Reply that our bus will not have becomes a Status; and that is tried until it is taken.
func TestReplyRefused(t *testing.T) {
	m := newMachine(nil)
	m.FromBus(request(kbus.ID{Serial: 5}, 4))
	does(m, nil)
	m.FromPair(&kbus.Message{Header: kbus.Header{InReplyTo: kbus.ID{Network: 1, Serial: 5}}, Name: "$.Q", Data: []byte("long")})
	status := "send <Status '$.KBUS.RemoteError.90', to=4, in_reply_to=[0:5]>"
	full := refuseAll(message.ErrMessageTooLong)
	expect(t, does(m, full), "send <Reply '$.Q', to=4, in_reply_to=[0:5], data='long'>\n"+status)
	for range 3 {
		if !m.Pending() {
			t.Fatal("nothing to try again")
		}
		m.Retry(true)
		expect(t, does(m, full), status)
	}
	m.Retry(true)
	expect(t, does(m, nil), status)
	if m.Pending() {
		t.Error("still unsettled")
	}
}

// B20: what is too long for our bus is answered all the same.
func TestTooLong(t *testing.T) {
	m := newMachine(nil)
	m.FromPairTooLong(request(kbus.ID{Network: 2, Serial: 5}, 4))
	expect(t, does(m, nil), "to pair <Status '$.KBUS.RemoteError.90', to=4, in_reply_to=[2:5]>")
	m.FromBus(request(kbus.ID{Serial: 6}, 4))
	does(m, nil)
	m.FromPairTooLong(&kbus.Message{Header: kbus.Header{InReplyTo: kbus.ID{Network: 1, Serial: 6}}, Name: "$.Q"})
	expect(t, does(m, nil), "send <Status '$.KBUS.RemoteError.90', to=4, in_reply_to=[0:6]>")
	m.FromPairTooLong(kbus.Announcement("$.A", ""))
	if f := m.Figures(); f.Lost != 1 || f.FromPair != 3 {
		t.Errorf("%+v", f)
	}
}

// What leaves our bus for the first time carries the bus's incarnation, and keeps it on the way; an original Limpet gets
// none, and what comes from one gets a number of the link's.
func TestIncarnations(t *testing.T) {
	for _, c := range []struct {
		legacy    bool
		id        kbus.ID
		extra     uint32
		passed    uint32
		fromThere uint32
	}{
		{false, kbus.ID{Serial: 5}, 0, 77, 99},
		{false, kbus.ID{Network: 9, Serial: 5}, 33, 33, 33},
		{false, kbus.ID{Network: 9, Serial: 5}, 0, 77, 99}, // somebody has chosen the id
		{true, kbus.ID{Serial: 5}, 0, 0, 99},
		{true, kbus.ID{Network: 9, Serial: 5}, 33, 0, 33},
	} {
		m := newMachine(func(config *Config) { config.Incarnation, config.Link, config.Legacy = 77, 99, c.legacy })
		sent := func() *kbus.Message {
			return &kbus.Message{Header: kbus.Header{ID: c.id, From: 4, Extra: c.extra}, Name: "$.A"}
		}
		m.FromBus(sent())
		if d, _ := m.Next(); d.Message.Extra != c.passed {
			t.Errorf("%+v: passed on with %d", c, d.Message.Extra)
		}
		m.FromPair(sent())
		if d, _ := m.Next(); d.Message.Extra != c.fromThere {
			t.Errorf("%+v: sent with %d", c, d.Message.Extra)
		}
	}
}

// Copies that the bus has heard another way are counted, and are no losses.
func TestCopies(t *testing.T) {
	m := newMachine(nil)
	m.FromPair(kbus.Announcement("$.A", ""))
	does(m, refuseAll(kbus.ErrHeard))
	m.FromPair(kbus.Announcement("$.A", ""))
	does(m, refuseAll(kbus.ErrStale))
	if f := m.Figures(); f.Copies != 1 || f.Lost != 1 {
		t.Errorf("%+v", f)
	}
}

// The library of our Ksock says that our bus is gone. The Requester beyond hears that the Replier is: its own bus is there.
func TestOurBusIsGone(t *testing.T) {
	m := newMachine(nil)
	m.FromPair(&kbus.Message{Header: kbus.Header{
		ID: kbus.ID{Network: 2, Serial: 5}, From: 3, Flags: kbus.WantAReply | message.WantYouToReply,
	}, Name: "$.Q"})
	does(m, nil)
	m.FromBus(&kbus.Message{Header: kbus.Header{
		To: 7, InReplyTo: kbus.ID{Network: 2, Serial: 5}, Flags: kbus.Synthetic,
	}, Name: message.NameBusGoneAway})
	if done := does(m, nil); !strings.Contains(done, "to pair <Status '$.KBUS.Replier.GoneAway'") {
		t.Error(done)
	}
}
