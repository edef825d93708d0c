package envelope

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kbus.example/kbus/limpet/wire"
	"kbus.example/kbus/message"
)

func sample() Envelope {
	return Envelope{
		Kind: Request, Member: 7, Epoch: 1 << 40, Count: 1<<33 + 1, Target: 8, TargetEpoch: 1<<41 + 2,
		Message: message.Message{Header: message.Header{
			ID: message.ID{Network: 7, Serial: 9}, InReplyTo: message.ID{Network: 1, Serial: 2}, To: 3, From: 4,
			OrigFrom: message.Origin{Network: 5, Local: 6}, FinalTo: message.Origin{Network: 7, Local: 8},
			Flags: message.WantAReply | 0x80000000,
		}, Name: "$.A.B", Data: []byte("data")},
	}
}

// What is written is read again, and any other length is refused.
func TestRoundTrip(t *testing.T) {
	e := sample()
	b := e.Append(nil)
	if len(b) != e.Bytes() {
		t.Errorf("%d bytes, and it says %d", len(b), e.Bytes())
	}
	got, err := Parse(b)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range b {
		if _, err := Parse(b[:n]); err == nil {
			t.Errorf("%d bytes are enough", n)
		}
	}
	if _, err := Parse(append(b, 0)); err == nil {
		t.Error("a byte too many is accepted")
	}
}

// A trace context goes with it, behind the data.
func TestTrace(t *testing.T) {
	e := sample()
	e.Trace = &message.Trace{Parent: "parent", State: "state"}
	b := e.Append(nil)
	got, err := Parse(b)
	if err != nil || !reflect.DeepEqual(got, e) || len(b) != e.Bytes() {
		t.Errorf("%+v, %v", got, err)
	}
	for n := len(b) - 14; n < len(b); n++ {
		if _, err := Parse(b[:n]); err == nil {
			t.Errorf("%d bytes of %d are enough", n, len(b))
		}
	}
	if got, err := ParseBeginning(b[:HeaderBytes+10]); err != nil || got.Name != e.Name || got.Trace != nil {
		t.Errorf("the beginning: %+v, %v", got, err)
	}
}

// What cannot be is refused with a word about what it was.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		spoil func(b []byte)
		word  string
	}{
		{func(b []byte) { b[0] = 1 }, "begins with"},
		{func(b []byte) { big.PutUint32(b[52:], 1001) }, "name of 1001 bytes"},
		{func(b []byte) { big.PutUint32(b[56:], 0xFFFFFFFF) }, "promises"},
		{func(b []byte) { b[wire.HeaderBytes+35] = 99 }, "unknown kind"},
		{func(b []byte) { b[wire.HeaderBytes+35] = 0 }, "unknown kind"},
		{func(b []byte) { b[wire.HeaderBytes+39]++ }, "version"},
		{func(b []byte) { b[HeaderBytes+3] = '%' }, "name"},
	} {
		e := sample()
		b := e.Append(nil)
		c.spoil(b)
		if _, err := Parse(b); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v, want something about %q", err, c.word)
		}
	}
}

func TestStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ids []message.ID
		var states []IDState
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			id := message.ID{Network: rapid.Uint32().Draw(t, "network"), Serial: rapid.Uint32().Draw(t, "serial")}
			ids = append(ids, id)
			states = append(states, IDState{id, State(rapid.IntRange(0, 1).Draw(t, "state"))})
		}
		junk := bytes.Repeat([]byte{1}, rapid.IntRange(0, 7).Draw(t, "junk"))
		gotIDs, gotStates := IDs(append(AppendIDs(nil, ids), junk...)), StatesOf(append(AppendStates(nil, states), junk...))
		if len(gotIDs) != len(ids) || len(gotStates) != len(states) {
			t.Fatalf("%d and %d, want %d", len(gotIDs), len(gotStates), len(ids))
		}
		for i := range ids {
			if gotIDs[i] != ids[i] || gotStates[i] != states[i] {
				t.Fatalf("%v %v, want %v", gotIDs[i], gotStates[i], states[i])
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	e := sample()
	f.Add(e.Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err == nil && !bytes.Equal(e.Append(nil), b) {
			t.Errorf("%x came back otherwise", b)
		}
	})
}
