package trace

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// A recording may write the bytes of a message itself, in pieces that end anywhere. On a machine of the other byte order
// the numbers in them are turned round. A piece alone does not say where its numbers are, so the pieces of one message are
// put together, turned as a whole, and cut as they were.

// turnRaw turns round the numbers in what a trace writes byte by byte.
func (t *Trace) turnRaw() {
	pieces := map[int][]*Op{} // of the message that a handle is writing
	for i := range t.Ops {
		op := &t.Ops[i]
		switch op.Name {
		case "write_raw":
			pieces[op.Handle] = append(pieces[op.Handle], op)
		case "write", "sendmsg", "send", "discard", "close":
			turnPieces(pieces[op.Handle])
			delete(pieces, op.Handle)
		}
	}
	for _, rest := range pieces {
		turnPieces(rest)
	}
}

func turnPieces(pieces []*Op) {
	var whole []byte
	for _, op := range pieces {
		b, _ := hex.DecodeString(op.Hex)
		whole = append(whole, b...)
	}
	whole = turnNumbers(whole)
	for _, op := range pieces {
		n := hex.DecodedLen(len(op.Hex))
		op.Hex, whole = hex.EncodeToString(whole[:n]), whole[n:]
	}
}

const (
	nameLengthAt = 52
	dataLengthAt = 56
	pointersAt   = 64
	pointersEnd  = 80
)

// turnNumbers turns round the numbers of a message in the recorded byte order, or of its beginning.
func turnNumbers(begun []byte) []byte {
	b := append(slices.Clone(begun), make([]byte, headerBytes+4)...) // as if zeros followed
	lengths := binary.LittleEndian
	name, data := lengths.Uint32(b[nameLengthAt:]), lengths.Uint32(b[dataLengthAt:])
	for at := 0; at < headerBytes; {
		n := 4
		if at >= pointersAt && at < pointersEnd {
			n = 8
		}
		slices.Reverse(b[at : at+n])
		at += n
	}
	if guard := headerBytes + 4*((uint64(name)+4)/4) + 4*((uint64(data)+3)/4); guard < uint64(len(begun)) {
		slices.Reverse(b[guard : guard+4])
	}
	return b[:len(begun)]
}
