package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"kbus.example/kbus/message"
)

func TestHeaderLayout(t *testing.T) {
	h := Header{PayloadBytes: 0x04030201, Op: 5, Flags: 6, Condition: 7, Seq: 0x0c0b0a09, Arg: 0x100f0e0d}
	want := []byte{1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 16}
	got := AppendHeader([]byte("x"), h)
	if !bytes.Equal(got[1:], want) || got[0] != 'x' {
		t.Errorf("% x, want % x", got, want)
	}
	if back := ParseHeader(want); back != h {
		t.Errorf("%+v, want %+v", back, h)
	}
	want[7] = 1 // a condition that no byte holds is unknown, not another one
	if c := ParseHeader(want).Condition; c.Known() || c != 255 {
		t.Errorf("condition %d", c)
	}
}

// However a stream is cut, the same frames come out of it, and what is announced too long is known at once.
func TestSplit(t *testing.T) {
	var stream []byte
	payloads := []string{"", "a", "", "hello there"}
	for i, p := range payloads {
		stream = AppendFrame(stream, Header{Op: OpWrite, Seq: uint32(i)}, []byte(p))
	}
	var have []byte
	next := 0
	for _, b := range stream {
		have = append(have, b)
		h, payload, n, err := Split(have, 11)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if len(have) >= HeaderBytes && int(h.PayloadBytes)+HeaderBytes <= len(have) {
				t.Fatalf("%d bytes are not enough for %d", len(have), h.PayloadBytes)
			}
			continue
		}
		if h.Seq != uint32(next) || string(payload) != payloads[next] || n != len(have) || cap(payload) != len(payload) {
			t.Fatalf("frame %d: %+v %q", next, h, payload)
		}
		have, next = have[:0], next+1
	}
	if next != len(payloads) {
		t.Fatalf("%d frames of %d", next, len(payloads))
	}
	_, _, n, err := Split(stream[len(stream)-11-HeaderBytes:][:HeaderBytes], 10)
	var o *Oversized
	if n != 0 || !errors.As(err, &o) || o.MaxPayloadBytes != 10 || o.Header.PayloadBytes != 11 {
		t.Errorf("%d %v", n, err)
	}
	if got, want := o.Error(), "frame of operation Write announces a payload of 11 bytes; the limit is 10"; got != want {
		t.Errorf("%q", got)
	}
}

// R2.6, Q10: every message that may be sent fits into a frame, on every bus.
func TestMaxRequestBytes(t *testing.T) {
	for _, most := range []uint32{100, 409600, 1 << 30, 1<<32 - 1} {
		dataLen := uint32(min(uint64(most), 1<<31-5000)) - 88 - 4 - 8
		if most == 1<<32-1 {
			most = 1<<31 - 1
		}
		if need := MessageBytes(3, int(dataLen)); uint64(need) > uint64(MaxRequestBytes(most)) {
			t.Errorf("%d bytes do not fit into %d", need, MaxRequestBytes(most))
		}
	}
}

var full = message.Header{
	ID: message.ID{Network: 1, Serial: 2}, InReplyTo: message.ID{Network: 3, Serial: 4}, To: 5, From: 6,
	OrigFrom: message.Origin{Network: 7, Local: 8}, FinalTo: message.Origin{Network: 9, Local: 10}, Extra: 11, Flags: 12,
}

func TestMessageLayout(t *testing.T) {
	var want []byte
	for n := byte(1); n <= 12; n++ {
		want = append(want, n, 0, 0, 0)
	}
	want = append(want, "\x04\x00\x00\x00\x02\x00\x00\x00$.Abhi"...)
	got := AppendMessage(nil, &full, []byte("$.Ab"), []byte("hi"))
	if !bytes.Equal(got, want) || len(want) != MessageBytes(4, 2) {
		t.Fatalf("% x, want % x", got, want)
	}
	var h message.Header
	name, data, rest, ok := ParseMessage(append(got, "rest"...), &h)
	if !ok || h != full || string(name) != "$.Ab" || string(data) != "hi" || string(rest) != "rest" {
		t.Errorf("%+v %q %q %q %v", h, name, data, rest, ok)
	}
	if cap(name) != 4 || cap(data) != 2 {
		t.Error("to append to the name or data would write over what follows")
	}
	for n := range got {
		if _, _, _, ok := ParseMessage(got[:n], &h); ok {
			t.Errorf("%d bytes of %d are a message", n, len(got))
		}
	}
}

func TestNoAllocation(t *testing.T) {
	b := make([]byte, 0, 1024)
	name, data := []byte("$.Fred"), make([]byte, 100)
	var h message.Header
	if n := testing.AllocsPerRun(100, func() {
		b = AppendHeader(b[:0], Header{Op: OpNext})
		b = AppendMessage(b, &full, name, data)
		_, payload, _, _ := Split(b, 1<<20)
		ParseMessage(payload, &h)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRoundTrips(t *testing.T) {
	id := message.ID{Network: 1, Serial: 2}
	if got, ok := ParseID(AppendID(nil, id)); !ok || got != id {
		t.Error(got, ok)
	}
	sent := Sent{id, 3, 4}
	if got, ok := ParseSent(AppendSent(nil, sent)); !ok || got != sent {
		t.Error(got, ok)
	}
	hello := Hello{1, 2, 3}
	if got, ok := ParseHello(append(AppendHello(nil, hello), "later"...)); !ok || got != hello {
		t.Error(got, ok)
	}
	welcome := Welcome{Version: 1, Bus: 2, Features: 3, AbsMaxMessageBytes: 4, Server: "s 1"}
	if got, ok := ParseWelcome(AppendWelcome(nil, welcome)); !ok || got != welcome {
		t.Error(got, ok)
	}
	info := Info{}
	for i, p := range info.numbers() {
		*p = uint32(i + 1)
	}
	b := AppendInfo(nil, info)
	if got, ok := ParseInfo(b); !ok || got != info {
		t.Error(got, ok)
	}
	b[0]++
	if got, ok := ParseInfo(append(b, 0, 0, 0, 0)); !ok || got != info {
		t.Error("a later version's Info is not understood", got, ok)
	}
}

func TestListAndWho(t *testing.T) {
	var entry KsockEntry
	for i, p := range entry.numbers() {
		*p = uint32(i + 1)
	}
	entry.Program = "lamp"
	long := entry
	long.Program = string(make([]byte, 300))
	b := AppendKsockEntry(AppendKsockEntry(nil, entry), long)
	long.Program = long.Program[:MaxProgramBytes]
	if got, ok := ParseList(b); !ok || !reflect.DeepEqual(got, []KsockEntry{entry, long}) {
		t.Errorf("%+v %v", got, ok)
	}
	if got, ok := ParseList(nil); !ok || got != nil {
		t.Error("an empty bus", got, ok)
	}

	// An entry of a later version: four bytes more before the name.
	later := append([]byte{100, 0, 4, 0}, b[4:4+22*4]...)
	later = append(append(later, 9, 9, 9, 9), "lamp"...)
	if got, ok := ParseList(later); !ok || got[0] != entry {
		t.Errorf("%+v %v", got, ok)
	}

	who := AppendParty(AppendParty(AppendParty(nil, Party{}), Party{1, 2, 3, "a"}), Party{4, 5, 6, ""})
	replier, listeners, ok := ParseWho(who)
	if !ok || replier != (Party{}) || !reflect.DeepEqual(listeners, []Party{{1, 2, 3, "a"}, {4, 5, 6, ""}}) {
		t.Errorf("%+v %+v %v", replier, listeners, ok)
	}
}

func TestBindRequests(t *testing.T) {
	request := BindRequest{1, 2, 3, message.Origin{Network: 4, Local: 5}, "$.A"}
	if got, ok := ParseBindRequest(AppendBindRequest(nil, request)); !ok || got != request {
		t.Errorf("%+v %v", got, ok)
	}
	names := []string{"$.A", "$.B.*"}
	if got := ParseNames([]byte(JoinNames(names))); !reflect.DeepEqual(got, names) {
		t.Error(got)
	}
	if got := ParseNames(nil); len(got) != 0 {
		t.Error(got)
	}
	if got := ParseVouch(AppendVouch(nil, 1<<60+7)); got != 1<<60+7 {
		t.Error(got)
	}
}

func TestTapEvent(t *testing.T) {
	event := TapEvent{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, true, 13, 11, "program", message.Header{ID: full.ID, To: 12}, []byte("$.A"), []byte("data"), nil}
	b := AppendTapEvent(nil, &event)
	var got TapEvent
	if !ParseTapEvent(b, &got) || !reflect.DeepEqual(got, event) || len(b) != event.Bytes() {
		t.Errorf("%+v, %d bytes", got, len(b))
	}
	traced := event
	traced.Trace = message.AppendTrace(nil, &message.Trace{Parent: "parent", State: "state"})
	MarkTrace(&traced.Header, traced.Trace)
	b = AppendTapEvent(nil, &traced)
	traced.Header.Flags &^= message.TraceMark
	if !ParseTapEvent(b, &got) || !reflect.DeepEqual(got, traced) || len(b) != traced.Bytes() {
		t.Errorf("with a trace context: %+v, %d bytes", got, len(b))
	}
	if ParseTapEvent(b[:len(b)-1], &got) || ParseTapEvent(append(b, 0), &got) {
		t.Error("a trace context that is cut off, or followed by something")
	}
	filter := TapFilter{OnlyFailures: true, Kinds: 1, Ksock: 2, DataBytes: 3, Patterns: []string{"$.A", "$.B.*"}}
	if got, ok := ParseTapFilter(AppendTapFilter(nil, filter)); !ok || !reflect.DeepEqual(got, filter) {
		t.Errorf("%+v", got)
	}
	if _, ok := ParseTapFilter(append(AppendTapFilter(nil, TapFilter{}), 5, 0, '$')); ok {
		t.Error("a pattern that is cut off")
	}
}

// No beginning of a payload is taken for the payload, unless a reader may ignore what is missing.
func TestTruncated(t *testing.T) {
	var info Info
	for what, c := range map[string]struct {
		payload []byte
		parse   func([]byte) bool
	}{
		"id":      {AppendID(nil, full.ID), func(b []byte) bool { _, ok := ParseID(b); return ok }},
		"sent":    {AppendSent(nil, Sent{}), func(b []byte) bool { _, ok := ParseSent(b); return ok }},
		"hello":   {AppendHello(nil, Hello{}), func(b []byte) bool { _, ok := ParseHello(b); return ok }},
		"welcome": {AppendWelcome(nil, Welcome{}), func(b []byte) bool { _, ok := ParseWelcome(b); return ok }},
		"info":    {AppendInfo(nil, info), func(b []byte) bool { _, ok := ParseInfo(b); return ok }},
		"who":     {AppendParty(nil, Party{Program: "p"}), func(b []byte) bool { _, _, ok := ParseWho(b); return ok }},
		"claim":   {AppendBindRequest(nil, BindRequest{}), func(b []byte) bool { _, ok := ParseBindRequest(b); return ok }},
		"proxy":   {AppendProxy(nil, Proxy{}), func(b []byte) bool { _, _, ok := ParseProxy(b); return ok }},
		"tap":     {AppendTapFilter(nil, TapFilter{}), func(b []byte) bool { _, ok := ParseTapFilter(b); return ok }},
		"tapped": {AppendTapEvent(nil, &TapEvent{Program: "p", Name: []byte("n"), Data: []byte("d")}), func(b []byte) bool {
			return ParseTapEvent(b, new(TapEvent))
		}},
		"list": {AppendKsockEntry(nil, KsockEntry{}), func(b []byte) bool {
			_, ok := ParseList(b)
			return ok && len(b) > 0
		}},
	} {
		if !c.parse(c.payload) {
			t.Errorf("%s is not parsed", what)
		}
		for n := range c.payload {
			if c.parse(c.payload[:n]) {
				t.Errorf("%d bytes of %d are a %s", n, len(c.payload), what)
			}
		}
	}
}

func TestOpNames(t *testing.T) {
	names := map[string]Op{}
	for op := range 256 {
		name := Op(op).String()
		if known := op >= int(OpHello) && op <= int(OpCard); Op(op).Known() != known {
			t.Errorf("operation %d: known is %v", op, !known)
		}
		if other, twice := names[name]; twice {
			t.Errorf("%d and %d are both %q", op, other, name)
		}
		names[name] = Op(op)
	}
}

// FuzzFrame takes any bytes for a stream, and any payload for any kind of payload. Nothing panics or reads past the
// end, and what is understood says the same when it is written again.
func FuzzFrame(f *testing.F) {
	f.Add(AppendFrame(nil, Header{Op: OpNext}, nil))
	f.Add(AppendFrame(nil, Header{Op: OpHello, Arg: 3}, AppendHello(nil, Hello{1, 1, 0})))
	f.Add(AppendFrame(nil, Header{Op: OpCall}, AppendMessage(nil, &full, []byte("$.Ab"), []byte("hi"))))
	f.Add(AppendFrame(nil, Header{Op: OpList}, AppendKsockEntry(nil, KsockEntry{Party: Party{Program: "p"}})))
	f.Add(AppendFrame(nil, Header{Op: OpWho}, AppendParty(nil, Party{Program: "p"})))
	f.Add(AppendFrame(nil, Header{Op: OpInfo}, AppendInfo(nil, Info{Bus: 1})))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for {
			h, payload, n, err := Split(stream, 4096)
			if err != nil || n == 0 {
				return
			}
			if h.Condition < 255 {
				if again := AppendFrame(nil, h, payload); !bytes.Equal(again, stream[:n]) {
					t.Fatalf("% x is written as % x", stream[:n], again)
				}
			}
			fuzzPayload(t, payload[:len(payload):len(payload)])
			stream = stream[n:]
		}
	})
}

func fuzzPayload(t *testing.T, b []byte) {
	same := func(what string, again []byte) {
		if !bytes.Equal(again, b) {
			t.Fatalf("%s % x is written as % x", what, b, again)
		}
	}
	var h message.Header
	if name, data, rest, ok := ParseMessage(b, &h); ok {
		same("message", append(AppendMessage(nil, &h, name, data), rest...))
	}
	if id, ok := ParseID(b); ok {
		same("id", AppendID(nil, id))
	}
	if s, ok := ParseSent(b); ok {
		same("sent", AppendSent(nil, s))
	}
	if hello, ok := ParseHello(b); ok {
		same("hello", append(AppendHello(nil, hello), b[helloBytes:]...))
	}
	if w, ok := ParseWelcome(b); ok && b[2] == 0 && b[3] == 0 {
		same("welcome", AppendWelcome(nil, w))
	}
	if i, ok := ParseInfo(b); ok && len(b) == 4+4*len(i.numbers()) {
		same("info", AppendInfo(nil, i))
	}
	if list, ok := ParseList(b); ok {
		var again []byte
		for _, k := range list {
			again = AppendKsockEntry(again, k)
		}
		if len(again) == len(b) {
			same("list", again)
		}
	}
	if replier, listeners, ok := ParseWho(b); ok {
		again := AppendParty(nil, replier)
		for _, p := range listeners {
			again = AppendParty(again, p)
		}
		if len(again) == len(b) {
			same("who", again)
		}
	}
}
