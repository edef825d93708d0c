package trace

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

const header = `{"format":1,"semantics":"decided","ptr_bits":64,"cfg":{"kbus_num_devices":1,"MAX_NAME_LEN":1000}}
`

// What is not a trace is refused, with the line.
func TestParse(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "unexpected EOF"},
		{header, "unexpected EOF"},
		{"not json\n", "line 1"},
		{strings.Replace(header, `"format":1`, `"format":2`, 1) + `{"op":"procstats","out":{}}`, "format 2"},
		{strings.Replace(header, "decided", "original", 1) + `{"op":"procstats","out":{}}`, `"original"`},
		{strings.Replace(header, "64", "32", 1) + `{"op":"procstats","out":{}}`, "32 bits"},
		{strings.Replace(header, "1000", "10", 1) + `{"op":"procstats","out":{}}`, "names of up to 10 bytes"},
		{header + "{\n", "line 2"},
		{header + `{"op":"procstats","out":{}}` + "\n" + `{"op":"sendmsg","out":{}}`, "line 3: sendmsg without a msg"},
	} {
		if _, err := Parse(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want something about %q", c.text, err, c.says)
		}
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		lengths []int
		want    string
	}{
		{nil, "[abcdef]"},
		{[]int{2}, "[ab cdef]"},
		{[]int{2, 3}, "[ab cde f]"},
		{[]int{2, 4}, "[ab cdef]"},
		{[]int{4, 97, 8}, "[abcd ef]"}, // cut further than there is
	} {
		if got := fmt.Sprintf("%s", pieces([]byte("abcdef"), c.lengths)); got != c.want {
			t.Errorf("%v: %s, want %s", c.lengths, got, c.want)
		}
	}
}

// A message is laid out as FORMAT.md says, and overrides go where they belong.
func TestEncode(t *testing.T) {
	n := func(v uint32) *uint32 { return &v }
	full := Sent{
		Form: "entire", Name: latin1("$.Ab"), Flags: 0x11, Data: generated{First: 250, Len: 3}, ID: [2]uint32{1, 2},
		InReplyTo: [2]uint32{3, 4}, To: 5, From: 6, OrigFrom: [2]uint32{7, 8}, FinalTo: [2]uint32{9, 10}, Extra: 11,
	}
	const rest = "010000000200000003000000040000000500000006000000070000000800000009000000" +
		"0a0000000b00000011000000"
	bad := full
	bad.StartGuard, bad.EndGuard, bad.FinalGuard = n(1), n(2), n(3)
	bad.NameLen, bad.DataLen, bad.ForceDataPtr = n(4000), n(5000), true
	pointy := full
	pointy.Form = "pointy"
	dropped := pointy
	dropped.DropDataPtr = true
	for _, c := range []struct {
		name string
		s    Sent
		want string
	}{
		{"entire", full, "4b627573" + rest + "0400000003000000" + "00000000" + "0000000000000000" + "0000000000000000" +
			"7375624b00000000" + "242e416200000000" + "fa010800" + "7375624b"},
		{"overridden", bad, "01000000" + rest + "a00f000088130000" + "00000000" + "0000000000000000" + "0800000000000000" +
			"0200000000000000" + "242e416200000000" + "fa010800" + "03000000"},
		{"pointy", pointy, "4b627573" + rest + "0400000003000000" + "00000000" + "0510000000000000" + "0310000000000000" +
			"7375624b00000000"},
		{"pointy without data pointer", dropped, "4b627573" + rest + "0400000003000000" + "00000000" +
			"0510000000000000" + "0000000000000000" + "7375624b00000000"},
	} {
		got := c.s.encode(func(b []byte, _ bool) uint64 { return 0x1000 + uint64(len(b)) }, false)
		if hex.EncodeToString(got) != c.want {
			t.Errorf("%s:\n got %x\nwant %s", c.name, got, c.want)
		}
	}
}

// What is wrong with the bytes of a message that was read shows in wire_ok.
func TestTake(t *testing.T) {
	s := Sent{Form: "entire", Name: latin1("$.Ab"), Data: generated{First: 1, Len: 3}}
	good := s.encode(nil, false)
	m := take(good)
	if !m.wireOK || string(m.name) != "$.Ab" || len(m.data) != 3 {
		t.Fatalf("a good message is taken for %v", m.outcome())
	}
	for _, at := range []int{0, 60, 64, 72, 80, 84, 93, 99, 102} {
		bad := append([]byte{}, good...)
		bad[at] ^= 1
		if m := take(bad); m.wireOK {
			t.Errorf("byte %d changed: nothing noticed", at)
		}
	}
	for n := range good {
		if m := take(good[:n]); m.wireOK {
			t.Errorf("cut to %d bytes: nothing noticed", n)
		}
	}
}

// Without pointers, pointy messages are entire, and what that changes has changed.
func TestWithoutPointers(t *testing.T) {
	pointy := `{"op":"%s","k":1,"msg":{"form":"pointy","name":"%s"%s},"out":{%s}}`
	for _, c := range []struct {
		name string
		ops  []string
		want []string
	}{
		{"a good name", []string{
			fmt.Sprintf(pointy, "sendmsg", "$.A", "", `"id":[0,1]`),
		}, []string{`entire {"id":[0,1]}`}},
		{"a bad name is refused by write", []string{
			fmt.Sprintf(pointy, "sendmsg", "$.A_", "", `"write":null,"send":"EBADMSG"`),
		}, []string{`entire {"write":"EBADMSG"}`}},
		{"and leaves nothing to send", []string{
			fmt.Sprintf(pointy, "write", "$.A_", "", ``),
			`{"op":"send","k":2,"out":{"err":"EBADMSG"}}`,
			`{"op":"send","k":1,"out":{"err":"EBADMSG"}}`,
			`{"op":"send","k":1,"out":{"err":"ENOMSG"}}`,
		}, []string{`entire {"err":"EBADMSG"}`, `{"err":"EBADMSG"}`, `{"err":"ENOMSG"}`, `{"err":"ENOMSG"}`}},
		{"or to discard", []string{
			fmt.Sprintf(pointy, "write", "$.A_", "", ``),
			`{"op":"discard","k":1,"out":{}}`,
			`{"op":"send","k":1,"out":{"err":"EINVAL"}}`,
		}, []string{`entire {"err":"EBADMSG"}`, `{}`, `{"err":"EINVAL"}`}},
		{"other errors come first", []string{
			fmt.Sprintf(pointy, "write", "$.A_", "", `"err":"EALREADY"`),
			fmt.Sprintf(pointy, "sendmsg", "$.A_", "", `"write":"EMSGSIZE"`),
		}, []string{`entire {"err":"EALREADY"}`, `entire {"write":"EMSGSIZE"}`}},
		{"a malformed header stays as it is", []string{
			fmt.Sprintf(pointy, "write", "$.A", `,"end_guard":5`, `"err":"EINVAL"`),
		}, []string{`pointy {"err":"EINVAL"}`}},
		{"stats", []string{
			`{"op":"procstats","out":{"text":"wrote byte 0 of NAME (finished), sending"}}`,
		}, []string{`{"text":"wrote byte 0 of FINAL (finished), sending"}`}},
	} {
		tr, err := Parse(strings.NewReader(header + strings.Join(c.ops, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(tr.Ops)
		for i, op := range tr.WithoutPointers().Ops {
			got := op.Out.String()
			if op.Message != nil {
				got = op.Message.Form + " " + got
			}
			if got != c.want[i] {
				t.Errorf("%s: operation %d: %s, want %s", c.name, i, got, c.want[i])
			}
		}
		if fmt.Sprint(tr.Ops) != before {
			t.Errorf("%s: the trace itself was changed", c.name)
		}
	}
}
