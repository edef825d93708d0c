package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// whole is a message with every field set, as R9.8 lays it out.
var whole = &kbus.Message{
	Header: kbus.Header{
		ID: kbus.ID{Network: 1, Serial: 5}, InReplyTo: kbus.ID{Network: 2, Serial: 0x01020304}, To: 3, From: 4,
		OrigFrom: kbus.Origin{Network: 6, Local: 7}, FinalTo: kbus.Origin{Network: 8, Local: 9}, Extra: 10, Flags: 0xABCD0003,
	},
	Name: "$.Fred", Data: []byte("hello"),
}

const wholeBytes = "7375624b" + "00000001" + "00000005" + "00000002" + "01020304" + "00000003" + "00000004" +
	"00000006" + "00000007" + "00000008" + "00000009" + "0000000a" + "abcd0003" + "00000006" + "00000005" + "4b627573" +
	"242e467265640000" + "68656c6c6f000000" + "4b627573"

// A trace context stands behind a message in whose place of the last magic word is another one.
const tracedBytes = "7375624b" + "00000001" + "00000005" + "00000002" + "01020304" + "00000003" + "00000004" +
	"00000006" + "00000007" + "00000008" + "00000009" + "0000000a" + "abcd0003" + "00000006" + "00000005" + "4b627573" +
	"242e467265640000" + "68656c6c6f000000" + "54726163" + "03000100" + "61626378" + "4b627573"

func TestTraced(t *testing.T) {
	m, want := *whole, unhex(t, tracedBytes)
	m.Trace = &kbus.Trace{Parent: "abc", State: "x"}
	if got := AppendTraced(nil, &m); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x", got, want)
	}
	if got := AppendTraced(nil, whole); !bytes.Equal(got, AppendMessage(nil, whole)) {
		t.Errorf("without one it is %x", got)
	}
	r := NewReader(bytes.NewReader(append(AppendTraced(nil, &m), AppendMessage(nil, whole)...)), 5)
	var got kbus.Message
	if err := r.Read(&got); err != nil || got.Trace == nil || *got.Trace != *m.Trace || string(got.Data) != "hello" {
		t.Errorf("%v %v %v", &got, got.Trace, err)
	}
	if err := r.Read(&got); err != nil || got.Trace != nil {
		t.Errorf("the next one has %v, %v", got.Trace, err)
	}
	for n := len(want) - 15; n < len(want); n++ {
		if err := NewReader(bytes.NewReader(want[:n]), 5).Read(&got); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("of %d bytes: %v", n, err)
		}
	}
	for at, says := range map[int]string{len(want) - 12: "a trace context of", len(want) - 1: "ends with"} {
		b := bytes.Clone(want)
		b[at] = 0xFF
		if at < len(want)-4 {
			b[at+1] = 0xFF
		}
		var g *Garbled
		if err := NewReader(bytes.NewReader(b), 5).Read(&got); !errors.As(err, &g) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// R9.8, to the byte, both ways.
func TestMessageBytes(t *testing.T) {
	want := unhex(t, wholeBytes)
	if got := AppendMessage(nil, whole); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x", got, want)
	}
	var m kbus.Message
	r := NewReader(bytes.NewReader(want), 5)
	if err := r.Read(&m); err != nil || m.Header != whole.Header || m.Name != whole.Name || string(m.Data) != "hello" {
		t.Errorf("%v %v", &m, err)
	}
	if err := r.Read(&m); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// R9.8: padding. A name has one to four zeros behind it, data none to three, and no data takes no room at all.
func TestPadding(t *testing.T) {
	for _, c := range []struct{ name, data, rest string }{
		{"$.a", "", "242e6100"},
		{"$.ab", "", "242e616200000000"},
		{"$.abc", "1", "242e61626300000031000000"},
		{"$.abcd", "1234", "242e61626364000031323334"},
	} {
		b := AppendMessage(nil, &kbus.Message{Name: c.name, Data: []byte(c.data)})
		if got := hex.EncodeToString(b[HeaderBytes:]); got != c.rest+"4b627573" {
			t.Errorf("%s %q: %s", c.name, c.data, got)
		}
	}
}

// R9.4, R9.5, B19.
func TestHello(t *testing.T) {
	if got := hex.EncodeToString(AppendHello(nil, 0x01020304)); got != "48454c4f01020304" {
		t.Error(got)
	}
	for _, c := range []struct {
		hello string
		id    uint32
		words string
	}{
		{"48454c4f00000002", 2, ""},
		{"48454c4fffffffff", 0xFFFFFFFF, ""},
		{"48454c4f00000000", 0, "network id is 0"},
		{"48454c4f00000001", 0, "our own network id 1"},
		{"48454c5000000002", 0, `greets with "HELP"`},
	} {
		id, err := ParseHello([HelloBytes]byte(unhex(t, c.hello)), 1)
		if id != c.id || (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %d, %v", c.hello, id, err)
		}
	}
	if _, err := ParseHello([HelloBytes]byte(AppendHello(nil, 7)), 7); !errors.As(err, new(*OwnID)) {
		t.Errorf("own id: %v", err)
	}
}

// R9.10, R9.12, B21: the three numbers of a bind event are turned round, and nothing of a message whose name is only
// a beginning of that.
func TestBindEvent(t *testing.T) {
	event := message.AppendBindEvent(nil, kbus.BindEvent{Bind: true, Binder: 5, Name: "$.A"})
	const onTheWire = "000000010000000500000003" + "242e4100"
	for name, want := range map[string]string{
		kbus.NameReplierBindEvent: onTheWire,
		"$.KBUS.ReplierBindEven":  hex.EncodeToString(event),
		"$.KBUS.Replier":          hex.EncodeToString(event),
		"$.K":                     hex.EncodeToString(event),
	} {
		b := AppendMessage(nil, &kbus.Message{Name: name, Data: event})
		if !strings.Contains(hex.EncodeToString(b), want) {
			t.Errorf("%s: %x", name, b)
		}
		var m kbus.Message
		if err := NewReader(bytes.NewReader(b), 100).Read(&m); err != nil || !bytes.Equal(m.Data, event) {
			t.Errorf("%s: %x, %v", name, m.Data, err)
		}
	}
	short := &kbus.Message{Name: kbus.NameReplierBindEvent, Data: []byte("elevenbytes")}
	var m kbus.Message
	if err := NewReader(bytes.NewReader(AppendMessage(nil, short)), 100).Read(&m); err != nil || string(m.Data) != "elevenbytes" {
		t.Errorf("%q, %v", m.Data, err)
	}
}

// R9.11, B20: what is wrong is said, and nothing is allocated for lengths that are.
func TestGarbled(t *testing.T) {
	good := unhex(t, wholeBytes)
	spoilt := func(at int, word uint32) []byte {
		b := bytes.Clone(good)
		big.PutUint32(b[at:], word)
		return b
	}
	for _, c := range []struct {
		b     []byte
		words string
	}{
		{spoilt(0, 0x4B627573), "begins with"},
		{spoilt(60, 0), "header ends with"},
		{spoilt(len(good)-4, 0), "message ends with"},
		{spoilt(52, 0), "name of 0 bytes"},
		{spoilt(52, 1001), "name of 1001 bytes"},
		{spoilt(52, 0xFFFFFFFF), "name of 4294967295 bytes"},
		{spoilt(56, 0xFFFFFFFF), "4294967295 bytes of data"},
		{spoilt(56, MaxSkippedBytes+1), "bytes of data"},
	} {
		var m kbus.Message
		err := NewReader(bytes.NewReader(c.b), 1000).Read(&m)
		if !errors.As(err, new(*Garbled)) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.words, err)
		}
	}
	for n := range len(good) {
		var m kbus.Message
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if err := NewReader(bytes.NewReader(good[:n]), 1000).Read(&m); err != want {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

// B20: a message that is too long is read past, and the one behind it is whole.
func TestTooLong(t *testing.T) {
	b := AppendMessage(nil, &kbus.Message{Name: "$.Big", Data: make([]byte, 1001)})
	r := NewReader(bytes.NewReader(AppendMessage(b, whole)), 1000)
	var m kbus.Message
	var tooLong *TooLong
	if err := r.Read(&m); !errors.Is(err, kbus.ErrMessageTooLong) || !errors.As(err, &tooLong) || *tooLong != (TooLong{1001, 1000}) || m.Name != "$.Big" || len(m.Data) != 0 {
		t.Errorf("%v %v", &m, err)
	}
	if err := r.Read(&m); err != nil || m.String() != whole.String() {
		t.Errorf("%v %v", &m, err)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	b := AppendMessage(nil, whole)
	from := bytes.NewReader(b)
	r, m := NewReader(from, 1000), &kbus.Message{}
	room := make([]byte, 0, len(b))
	if n := testing.AllocsPerRun(100, func() {
		from.Reset(b)
		if err := r.Read(m); err != nil {
			t.Fatal(err)
		}
		room = AppendMessage(room[:0], m)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzReader: whatever comes, what is read is within the limits and is written as it was read.
func FuzzReader(f *testing.F) {
	f.Add(AppendMessage(nil, whole))
	f.Add(AppendMessage(nil, &kbus.Message{Name: kbus.NameReplierBindEvent, Data: make([]byte, 20)}))
	f.Add(AppendMessage(nil, &kbus.Message{Name: "$.Big", Data: make([]byte, 300)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 256
		from := bytes.NewReader(b)
		r := NewReader(from, limit)
		for {
			var m kbus.Message
			before := from.Len()
			err := r.Read(&m)
			if cap(m.Data) > limit || len(m.Name) > kbus.MaxNameBytes {
				t.Fatalf("%d bytes of data, %d of name", cap(m.Data), len(m.Name))
			}
			if errors.As(err, new(*TooLong)) {
				continue
			}
			if err != nil {
				return
			}
			read := b[len(b)-before : len(b)-from.Len()]
			again := AppendMessage(nil, &m)
			var m2 kbus.Message
			if err := NewReader(bytes.NewReader(again), limit).Read(&m2); err != nil || len(again) != len(read) ||
				m2.Header != m.Header || m2.Name != m.Name || !bytes.Equal(m2.Data, m.Data) {
				t.Fatalf("%x reads as %v, which is written as %x", read, &m, again)
			}
		}
	})
}
