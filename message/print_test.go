package message

import "testing"

// One line for each message, fields in the order of R10.29 and only those that are set; data quoted without a b.
func TestString(t *testing.T) {
	const ask = "$.Actor.Ask.Guildenstern"
	event := Header{ID: ID{0, 9}, Flags: Synthetic | AllOrFail}
	for _, c := range []struct {
		m    Message
		want string
	}{
		// R10.30, R10.29
		{Message{Header: Header{ID: ID{0, 12}, From: 4, Flags: WantAReply | WantYouToReply}, Name: "$.Lamp.Set", Data: []byte("on")},
			"<Request '$.Lamp.Set', id=[0:12], from=4, flags=0x3 (REQ,YOU), data='on'>"},
		{Message{Header: event, Name: NameReplierBindEvent, Data: AppendBindEvent(nil, BindEvent{true, 5, "$.Fred"})},
			"<ReplierBindEvent id=[0:9], flags=0x204 (SYN,aFL), [Bind '$.Fred' for 5]>"},
		{Message{Header: event, Name: NameReplierBindEvent, Data: AppendBindEvent(nil, BindEvent{false, 5, "$.Fred.*"})},
			"<ReplierBindEvent id=[0:9], flags=0x204 (SYN,aFL), [Unbind '$.Fred.*' for 5]>"},
		// the introduction's
		{Message{Header: Header{ID: ID{0, 2}, From: 1}, Name: "$.Actor.Speak", Data: []byte("Ahem")},
			"<Announcement '$.Actor.Speak', id=[0:2], from=1, data='Ahem'>"},
		{Message{Header: Header{ID: ID{0, 6}, From: 1, Flags: WantAReply}, Name: ask, Data: []byte("Were you speaking to me?")},
			"<Request '$.Actor.Ask.Guildenstern', id=[0:6], from=1, flags=0x1 (REQ), data='Were you speaking to me?'>"},
		{Message{Header: Header{To: 1, InReplyTo: ID{0, 6}}, Name: ask, Data: []byte("Yes, yes I was")},
			"<Reply '$.Actor.Ask.Guildenstern', to=1, in_reply_to=[0:6], data='Yes, yes I was'>"},
		{Message{Header: Header{ID: ID{0, 7}, To: 1, From: 3, InReplyTo: ID{0, 6}}, Name: ask, Data: []byte("Yes, yes I was")},
			"<Reply '$.Actor.Ask.Guildenstern', id=[0:7], to=1, from=3, in_reply_to=[0:6], data='Yes, yes I was'>"},
		{Message{Header: Header{To: 3, Flags: WantAReply}, Name: "$.Actor.CoinToss", Data: []byte("Head")},
			"<Request '$.Actor.CoinToss', to=3, flags=0x1 (REQ), data='Head'>"},
		// every field, every flag, and none
		{Message{Header: Header{ID{1, 2}, ID{3, 4}, 5, 6, Origin{7, 8}, Origin{9, 10}, 11, 0xABCD030F}, Name: NameIgnored, Data: []byte{0}},
			"<Status '$.KBUS.Replier.Ignored', id=[1:2], to=5, from=6, orig_from=(7,8), final_to=(9,10), in_reply_to=[3:4], " +
				`flags=0xabcd030f (REQ,YOU,SYN,URG,aFL,aWT), data='\x00'>`},
		{Message{Header: Header{Flags: 0x10}, Name: "$.A", Data: nil}, "<Announcement '$.A', flags=0x10>"},
		{Message{Header: Header{}, Name: "$.A", Data: []byte{}}, "<Announcement '$.A'>"},
		// R11.19: anybody may send something of that name; without a binding in it, it prints like anything else
		{Message{Header: Header{From: 1}, Name: NameReplierBindEvent, Data: []byte("short")},
			"<Announcement '$.KBUS.ReplierBindEvent', from=1, data='short'>"},
		{Message{Header: Header{From: 1}, Name: NameReplierBindEvent, Data: nil}, "<Announcement '$.KBUS.ReplierBindEvent', from=1>"},
	} {
		if got := c.m.String(); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for data, want := range map[string]string{
		"":               `''`,
		"on":             `'on'`,
		"it's":           `"it's"`,
		`"`:              `'"'`,
		`it's "so"`:      `'it\'s "so"'`,
		"a\\b":           `'a\\b'`,
		"\t\r\n":         `'\t\r\n'`,
		"\x00\x1f ~\x7f": `'\x00\x1f ~\x7f'`,
		"\x80\xff":       `'\x80\xff'`, // B34: two digits
		"é":              `'\xc3\xa9'`,
	} {
		if got := Quote([]byte(data)); got != want {
			t.Errorf("Quote(%q) = %s, want %s", data, got, want)
		}
	}
}
