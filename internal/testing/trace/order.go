package trace

import (
	"bytes"
	"encoding/binary"
	"maps"
)

// The recordings come from a machine that is little-endian. A device has numbers in the byte order of its machine, so on a
// machine of the other order the same messages have other bytes: there we make them in that order, and take them apart in it.
// Parts of messages are then compared by their length, and by the message when its last part has come, of which every byte
// belongs to a field or is known to be zero.

// native is the order of the bytes of numbers here.
var native = binary.NativeEndian

var asRecorded = native.Uint16([]byte{1, 0}) == 1

// expected is the recorded outcome, as far as it says something of this machine.
func (op *Op) expected() outcome {
	if asRecorded || op.Name != "read" {
		return op.Out
	}
	return withoutBytes(op.Out)
}

// withoutBytes leaves out what shows bytes of numbers.
func withoutBytes(o outcome) outcome {
	o = maps.Clone(o)
	delete(o, "hex")
	delete(o, "sha1")
	return o
}

// recordedEvent is the data of a bind event, which begins with three numbers, as a recording has it.
func recordedEvent(data []byte) []byte {
	data = bytes.Clone(data)
	for at := range 3 {
		word := data[4*at:]
		binary.LittleEndian.PutUint32(word, native.Uint32(word))
	}
	return data
}
