// Package mcap keeps events in MCAP files, which Foxglove and the tools around it read. docs/recordings.md tells the form.
//
// Each event is a JSON object, and each name of a message has a channel. Events stand in chunks, for only chunks have checksums
// that readers look at before they give the first event of them, and only with the indexes of chunks and of the messages in
// them do readers that go by indexes find anything at all: without, they say that the file is empty.
package mcap

import "encoding/binary"

const (
	magic      = "\x89MCAP0\r\n"
	schemaName = "kbus.Event"

	opHeader        = 0x01
	opFooter        = 0x02
	opSchema        = 0x03
	opChannel       = 0x04
	opMessage       = 0x05
	opChunk         = 0x06
	opMessageIndex  = 0x07
	opChunkIndex    = 0x08
	opStatistics    = 0x0B
	opSummaryOffset = 0x0E
	opDataEnd       = 0x0F

	recordHead  = 9  // operation and length
	messageHead = 22 // of a message, without its record's
	footerBytes = 20
)

var le = binary.LittleEndian

// Writing: all numbers are little-endian, and a string comes after its length.

// begin begins a record, and gives what end must be told.
func begin(b []byte, op byte) ([]byte, int) {
	return append(b, op, 0, 0, 0, 0, 0, 0, 0, 0), len(b) + recordHead
}

func end(b []byte, body int) []byte {
	le.PutUint64(b[body-8:], uint64(len(b)-body))
	return b
}

func appendString[S string | []byte](b []byte, s S) []byte {
	return append(le.AppendUint32(b, uint32(len(s))), s...)
}

// fields reads the body of a record. When it ends too early, bad is set and everything is empty from then on.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) take(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.bad, f.b = true, nil
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u16() uint16 {
	if b := f.take(2); b != nil {
		return le.Uint16(b)
	}
	return 0
}

func (f *fields) u32() uint32 {
	if b := f.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if b := f.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

func (f *fields) text() string { return string(f.take(uint64(f.u32()))) }
