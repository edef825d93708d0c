package websocket

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

const panel = `[[door]]
origin = "https://panel.example"
token-file = "token"
bus = [0]
send = ["$.Panel.Button", "$.Both.*"]
listen = ["$.Panel.*", "$.KBUS.ReplierBindEvent"]
request = ["$.Lamp.Set", "$.Both.%"]
reply = ["$.Panel.Ask.%"]
`

func panelDoor(t testing.TB) *Door {
	t.Helper()
	list, err := load(t, panel)
	must(t, err)
	return list[0]
}

func frame(op wire.Op, arg uint32, payload []byte) []byte {
	return wire.AppendFrame(nil, wire.Header{Op: op, Seq: 7, Arg: arg}, payload)
}

func sends(op wire.Op, name string, h message.Header) []byte {
	return frame(op, 0, wire.AppendMessage(nil, &h, []byte(name), []byte("data")))
}

var greeting = frame(wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: 0xFFFFFFFF}))

// through passes bytes in pieces, and gives what goes to the daemon, and the refusals: nil for a Reset of the page's own.
func through(g *gate, in []byte, piece int) (out []byte, refused []*refusal, err error) {
	for len(in) > 0 {
		part := in[:min(piece, len(in))]
		in = in[len(part):]
		for len(part) > 0 {
			to, j, err := g.next(out, part)
			if err != nil {
				return to, refused, err
			}
			if out, part = to, part[j.bytes:]; j.reset {
				refused = append(refused, j.refused)
			}
		}
	}
	return out, refused, nil
}

var (
	asks   = message.Header{Flags: message.WantAReply}
	owed   = message.Header{InReplyTo: message.ID{Serial: 3}, To: 4}
	owedTo = message.Header{InReplyTo: message.ID{Serial: 3}, To: 4, Flags: message.WantAReply}
)

// What is allowed goes on, and what is not becomes a Reset, in whatever pieces it comes.
func TestGate(t *testing.T) {
	door := panelDoor(t)
	for _, c := range []struct {
		what      string
		frame     []byte
		condition message.Condition // OK: it goes on
		text      string
	}{
		{"an Announcement", sends(wire.OpSendMessage, "$.Panel.Button", message.Header{}), message.OK, ""},
		{"another", sends(wire.OpSendMessage, "$.Panel.Lamp", message.Header{}), message.ErrDenied, "doors.toml:1 does not allow to send $.Panel.Lamp"},
		{"a Request", sends(wire.OpSendMessage, "$.Lamp.Set", asks), message.OK, ""},
		{"a Call", sends(wire.OpCall, "$.Lamp.Set", asks), message.OK, ""},
		{"another Call", sends(wire.OpCall, "$.Lamp.Get", asks), message.ErrDenied, "to send the Request $.Lamp.Get"},
		{"a Request that may only be sent", sends(wire.OpSendMessage, "$.Panel.Button", asks), message.ErrDenied, "the Request $.Panel.Button"},
		{"a Call without the flag", sends(wire.OpCall, "$.Panel.Button", message.Header{}), message.ErrDenied, "the Request"},
		{"an Announcement that may only be asked", sends(wire.OpSendMessage, "$.Lamp.Set", message.Header{}), message.ErrDenied, "to send $.Lamp.Set"},
		{"a Reply", sends(wire.OpSendMessage, "$.Panel.Ask.Yes", owed), message.OK, ""},
		{"a Reply as it may be sent", sends(wire.OpSendMessage, "$.Both.A", owed), message.OK, ""},
		{"a Reply with the name of others", sends(wire.OpSendMessage, "$.Lamp.Set", owed), message.ErrDenied, "bind $.Lamp.Set as Replier"},
		{"a Reply and Request", sends(wire.OpSendMessage, "$.Both.A", owedTo), message.OK, ""},
		{"a Reply that must not ask", sends(wire.OpSendMessage, "$.Panel.Ask.Yes", owedTo), message.ErrDenied, "the Request $.Panel.Ask.Yes"},
		{"a failure", sends(wire.OpSendMessage, message.NameFailed, owed), message.OK, ""},
		{"a failure of nothing", sends(wire.OpSendMessage, message.NameFailed, message.Header{}), message.ErrDenied, "to send"},
		{"no name", sends(wire.OpSendMessage, "$.!", message.Header{}), message.ErrBadName, "'!'"},
		{"a wildcard", sends(wire.OpSendMessage, "$.Both.*", message.Header{}), message.ErrBadName, ""},
		{"a long name", sends(wire.OpSendMessage, "$."+strings.Repeat("x", 1000), message.Header{}), message.ErrNameTooLong, ""},
		{"listening", frame(wire.OpBind, 0, []byte("$.Panel.*")), message.OK, ""},
		{"listening to less", frame(wire.OpBind, 0, []byte("$.Panel.Ask.%")), message.OK, ""},
		{"listening to more", frame(wire.OpBind, 0, []byte("$.*")), message.ErrDenied, "to listen to $.*"},
		{"replying", frame(wire.OpBind, 1, []byte("$.Panel.Ask.Yes")), message.OK, ""},
		{"standing by", frame(wire.OpBind, 2, []byte("$.Panel.Ask.%")), message.OK, ""},
		{"standing by for all", frame(wire.OpBind, 2, []byte("$.Panel.*")), message.ErrDenied, "bind $.Panel.* as Replier"},
		{"a role that is none", frame(wire.OpBind, 77, []byte("$.Panel.Button")), message.ErrDenied, "as Replier"},
		{"binding no name", frame(wire.OpBind, 0, []byte("Panel")), message.ErrBadName, ""},
		{"binding a long name", frame(wire.OpBind, 0, bytes.Repeat([]byte("x"), 5000)), message.ErrNameTooLong, ""},
		{"who is the Replier", frame(wire.OpReplier, 0, []byte("$.Lamp.Set")), message.OK, ""},
		{"who is another's", frame(wire.OpReplier, 0, []byte("$.Door")), message.ErrDenied, ""},
		{"a queue", frame(wire.OpMaxMessages, 100, nil), message.OK, ""},
		{"a long queue", frame(wire.OpMaxMessages, 101, nil), message.ErrDenied, "more than 100 messages"},
		{"bind events", frame(wire.OpReportReplierBinds, 1, nil), message.OK, ""},
		{"bind events off", frame(wire.OpReportReplierBinds, 0, nil), message.ErrDenied, "switches"},
		{"verbose?", frame(wire.OpVerbose, 0xFFFFFFFF, nil), message.OK, ""},
		{"verbose", frame(wire.OpVerbose, 1, nil), message.ErrDenied, "switches"},
		{"the size of messages", frame(wire.OpMaxMessageSize, 1, nil), message.OK, ""},
		{"another size", frame(wire.OpMaxMessageSize, 200, nil), message.ErrDenied, "maximum message size"},
		{"one that is none", frame(250, 0, []byte("what?")), message.ErrUnknownOperation, ""},
	} {
		for piece := range 70 {
			g := newGate(door)
			out, refused, err := through(g, bytes.Join([][]byte{greeting, c.frame, frame(wire.OpPoll, 0, nil)}, nil), piece+1)
			if err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			want := c.frame
			if c.condition != message.OK {
				want = frame(wire.OpReset, 0, nil)
				if len(refused) != 1 || refused[0].condition != c.condition || !strings.Contains(refused[0].text, c.text) || refused[0].op != wire.Op(c.frame[4]) {
					t.Fatalf("%s: refused are %+v", c.what, refused)
				}
			} else if len(refused) > 0 {
				t.Fatalf("%s: refused with %+v", c.what, refused[0])
			}
			if rest := out[len(greeting):]; !bytes.Equal(rest, append(want, frame(wire.OpPoll, 0, nil)...)) {
				t.Fatalf("%s, in pieces of %d: goes on as %x", c.what, piece+1, rest)
			}
		}
	}
}

// Every operation that the table of the protocol has is judged: what is not for a page is refused.
func TestGateKnowsAllOperations(t *testing.T) {
	door := panelDoor(t)
	forPages := map[wire.Op]bool{}
	for _, op := range []wire.Op{wire.OpHello, wire.OpReset, wire.OpUnbind, wire.OpNext, wire.OpNextWait, wire.OpNextReply, wire.OpResend,
		wire.OpDiscard, wire.OpWaitSent, wire.OpPoll, wire.OpCancel, wire.OpLastSent, wire.OpMaxMessages, wire.OpNumMessages, wire.OpNumUnreplied,
		wire.OpOnlyOnce, wire.OpMaxMessageSize, wire.OpWaitReadable, wire.OpGiveUp, wire.OpMissed} {
		forPages[op] = true
	}
	for op := wire.OpHello; op.Known(); op++ {
		if op == wire.OpSendMessage || op == wire.OpCall || op == wire.OpBind || op == wire.OpReplier {
			continue // which need more than their number
		}
		g := newGate(door)
		_, refused, err := through(g, append(bytes.Clone(greeting), frame(op, 0, nil)...), 1000)
		if allowed := err == nil && (len(refused) == 0 || refused[0] == nil); allowed != forPages[op] {
			t.Errorf("%v: %v, %v", op, refused, err)
		}
	}
}

// A Hello is stripped of what only a neighbour may ask for, and a message of what only a Limpet may say.
func TestGateStrips(t *testing.T) {
	g := newGate(panelDoor(t))
	said := message.Header{ID: message.ID{Network: 5, Serial: 6}, OrigFrom: message.Origin{Network: 7, Local: 8}, Extra: 9, FinalTo: message.Origin{Network: 1, Local: 2}}
	out, _, err := through(g, append(bytes.Clone(greeting), sends(wire.OpSendMessage, "$.Panel.Button", said)...), 1)
	must(t, err)
	asked, _ := wire.ParseHello(out[wire.HeaderBytes:])
	if asked.Features != wire.FeatureMissed|wire.FeatureTrace|wire.FeatureRuns {
		t.Errorf("features %b", asked.Features)
	}
	want := sends(wire.OpSendMessage, "$.Panel.Button", message.Header{FinalTo: said.FinalTo})
	if !bytes.Equal(out[len(greeting):], want) {
		t.Errorf("the message is %x", out[len(greeting):])
	}
}

// What does not speak the protocol is no client.
func TestGateEnds(t *testing.T) {
	door := panelDoor(t)
	cut := wire.AppendMessage(nil, &message.Header{}, []byte("$.Panel.Button"), nil)
	cut[48]++
	for what, c := range map[string]struct {
		bytes []byte
		err   error
	}{
		"no Hello":        {frame(wire.OpPoll, 0, nil), errNoHello},
		"HTTP":            {[]byte("GET / HTTP/1.1\r\nHost: bus\r\n\r\n"), errNoHello},
		"an observer":     {frame(wire.OpHello, 0, greeting[wire.HeaderBytes:]), errObserver},
		"no message":      {append(bytes.Clone(greeting), frame(wire.OpSendMessage, 0, []byte("x"))...), errMessage},
		"a wrong message": {append(bytes.Clone(greeting), frame(wire.OpCall, 0, cut)...), errMessage},
	} {
		if _, _, err := through(newGate(door), c.bytes, 9); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The bytes of a refused message are not passed on, and not kept.
func TestGateDrops(t *testing.T) {
	g := newGate(panelDoor(t))
	long := sends(wire.OpSendMessage, "$.Door", message.Header{})
	payload := append(long[wire.HeaderBytes:], make([]byte, 300000)...)
	payload[52], payload[53], payload[54] = 0xE4, 0x93, 0x04 // 300004
	out, refused, err := through(g, bytes.Join([][]byte{greeting, frame(wire.OpSendMessage, 0, payload), greeting}, nil), 4096)
	must(t, err)
	if len(refused) != 1 || len(out) != 2*len(greeting)+wire.HeaderBytes || cap(g.head) > 2048 {
		t.Errorf("%d refused, %d bytes, %d kept", len(refused), len(out), cap(g.head))
	}
}

// Results come as they are, but for the Resets that stand for refusals, in whatever pieces.
func TestAnswers(t *testing.T) {
	in := bytes.Join([][]byte{
		frame(wire.OpHello, 5, []byte("welcome")), frame(wire.OpReset, 0, nil), frame(wire.OpPoll, 3, nil), frame(wire.OpReset, 0, nil), frame(wire.OpNextWait, 1, make([]byte, 99)),
	}, nil)
	want := bytes.Join([][]byte{
		frame(wire.OpHello, 5, []byte("welcome")), frame(wire.OpReset, 0, nil), frame(wire.OpPoll, 3, nil),
		wire.AppendFrame(nil, wire.Header{Op: wire.OpBind, Seq: 7, Condition: message.ErrDenied}, []byte("no")), frame(wire.OpNextWait, 1, make([]byte, 99)),
	}, nil)
	for piece := 1; piece <= len(in); piece++ {
		queue := make(chan *refusal, 2)
		queue <- nil
		queue <- &refusal{wire.OpBind, message.ErrDenied, "no"}
		a := &answers{refusals: queue}
		var out []byte
		for at := 0; at < len(in); at += piece {
			var err error
			out, err = a.pass(out, in[at:min(at+piece, len(in))])
			must(t, err)
		}
		if !bytes.Equal(out, want) {
			t.Fatalf("in pieces of %d: %x", piece, out)
		}
	}
	if _, err := (&answers{refusals: make(chan *refusal)}).pass(nil, frame(wire.OpReset, 0, nil)); !errors.Is(err, errUnasked) {
		t.Errorf("a Reset that nobody asked for: %v", err)
	}
}

// FuzzGate: whatever a page sends, what goes on to the daemon are frames, and each of those that bind or send is allowed by the
// file, as it reads by itself.
func FuzzGate(f *testing.F) {
	for _, name := range []string{"$.Panel.Button", "$.Lamp.Set", "$.Door"} {
		f.Add(append(bytes.Clone(greeting), sends(wire.OpSendMessage, name, asks)...), 5)
		f.Add(append(bytes.Clone(greeting), frame(wire.OpBind, 0, []byte(name))...), 100)
	}
	door := panelDoor(f)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		out, _, _ := through(newGate(door), in, max(1, piece))
		for rest := out; len(rest) > 0; {
			h, payload, n, _ := wire.Split(rest, math.MaxUint32)
			if n == 0 {
				break // the rest is still to come
			}
			rest = rest[n:]
			var m message.Header
			switch name, _, _, ok := wire.ParseMessage(payload, &m); {
			case h.Op == wire.OpBind && h.Arg == 0:
				within(t, string(payload), "$.Panel.", "$.KBUS.ReplierBindEvent")
			case h.Op == wire.OpBind:
				within(t, string(payload), "$.Panel.Ask.")
			case h.Op == wire.OpCall || ok && h.Op == wire.OpSendMessage && m.Flags.Has(message.WantAReply):
				within(t, string(name), "$.Lamp.Set", "$.Both.")
			case h.Op == wire.OpSendMessage && m.InReplyTo.IsZero():
				within(t, string(name), "$.Panel.Button", "$.Both.")
			case h.Op == wire.OpSendMessage:
				within(t, string(name), "$.Panel.Button", "$.Panel.Ask.", "$.Both.", message.NameFailed)
			}
		}
	})
}

func within(t *testing.T, name string, allowed ...string) {
	t.Helper()
	for _, begin := range allowed {
		if name == begin || strings.HasSuffix(begin, ".") && strings.HasPrefix(name, begin) {
			return
		}
	}
	t.Fatalf("%q goes on", name)
}
