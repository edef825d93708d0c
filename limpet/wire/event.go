package wire

import (
	"encoding/binary"

	"kbus.example/kbus"
)

// The first three words of a bind event's data are numbers (R9.10). The name must be exactly that (B21). A message of
// that name with less data than that is somebody's own, and left alone.

const eventWords = 3

func isBindEvent(name string, data []byte) bool {
	return name == kbus.NameReplierBindEvent && len(data) >= 4*eventWords
}

func eventToNetwork(data []byte) {
	for i := range eventWords {
		big.PutUint32(data[4*i:], binary.NativeEndian.Uint32(data[4*i:]))
	}
}

func eventToHost(data []byte) {
	for i := range eventWords {
		binary.NativeEndian.PutUint32(data[4*i:], big.Uint32(data[4*i:]))
	}
}
