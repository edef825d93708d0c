package ordered

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

func TestBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		var want [][]byte
		for n := range rapid.IntRange(0, 5).Draw(t, "n") {
			e := envelope.Envelope{Kind: envelope.Broadcast, Member: 1, Epoch: 2, Count: uint64(n), Message: message.Message{
				Name: "$.A", Data: rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "data"),
			}}
			b = appendEnvelope(b, &e)
			want = append(want, e.Data)
		}
		cut := rapid.IntRange(0, len(b)).Draw(t, "cut")
		got := 0
		err := open(b[:cut], func(e *envelope.Envelope) error {
			if e.Count != uint64(got) || !bytes.Equal(e.Data, want[got]) {
				t.Fatalf("message %d is %v", got, e)
			}
			got++
			return nil
		})
		if cut == len(b) && (err != nil || got != len(want)) {
			t.Fatalf("%d of %d, %v", got, len(want), err)
		}
	})
	if open([]byte{0, 0, 0}, nil) == nil || open([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0}, nil) == nil {
		t.Error("nonsense is a batch")
	}
}
