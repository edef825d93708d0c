package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// Pieces of a message that are turned together are what the other byte order writes, wherever they were cut.
func TestTurnRaw(t *testing.T) {
	message := func(order binary.AppendByteOrder) []byte {
		b := order.AppendUint32(nil, 0x7375624b)
		for i := range uint32(12) {
			b = order.AppendUint32(b, i+1)
		}
		b = order.AppendUint32(b, 3) // the length of the name
		b = order.AppendUint32(b, 9) // and of the data
		b = order.AppendUint32(b, 0)
		b = order.AppendUint64(b, 0x0102030405060708)
		b = order.AppendUint64(b, 0x1112131415161718)
		b = order.AppendUint32(b, 0x4b627573)
		b = order.AppendUint32(b, 0)
		b = append(b, "$.A\x00123456789\x00\x00\x00"...)
		return order.AppendUint32(b, 0x4b627573)
	}
	recorded, want := message(binary.LittleEndian), message(binary.BigEndian)
	for first := range len(recorded) + 1 {
		for _, whole := range []int{len(recorded), first} {
			tr := &Trace{Ops: []Op{
				{Name: "write_raw", Handle: 1, operands: operands{Hex: hex.EncodeToString(recorded[:first])}},
				{Name: "bind", Handle: 1},
				{Name: "write_raw", Handle: 2, operands: operands{Hex: "4b627573"}},
				{Name: "write_raw", Handle: 1, operands: operands{Hex: hex.EncodeToString(recorded[first:whole])}},
				{Name: "send", Handle: 1},
				{Name: "write_raw", Handle: 1, operands: operands{Hex: "4b627573"}},
			}}
			tr.turnRaw()
			for _, i := range []int{2, 5} {
				if tr.Ops[i].Hex != "7375624b" {
					t.Fatalf("another message has become %s", tr.Ops[i].Hex)
				}
			}
			if first%4 != 0 || first == 68 || first == 76 {
				if whole < len(recorded) {
					continue // a number is not there whole
				}
			}
			got, _ := hex.DecodeString(tr.Ops[0].Hex + tr.Ops[3].Hex)
			if !bytes.Equal(got, want[:whole]) {
				t.Fatalf("cut at %d of %d:\n%x\nwant\n%x", first, whole, got, want[:whole])
			}
		}
	}
}
