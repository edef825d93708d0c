package wire

import "kbus.example/kbus/message"

// Two forms of a message whose data does not follow its name. One tells where the data lies in memory that both sides
// know, and stands in a window (docs/protocol.md, section 17). The other has it next to it, for a reader of frames that
// leaves long data where it is.

// ReferenceBytes is the length of a message whose data lies elsewhere: header, name, what follows the data, and
// where.
func ReferenceBytes(nameLen int, f *Following) int {
	return MessageHeaderBytes + nameLen + f.Bytes() + 8
}

// AppendReference appends a message whose dataLen bytes of data lie at a place in the log.
func AppendReference(b []byte, h *message.Header, name []byte, dataLen int, f *Following, at uint64) []byte {
	return le.AppendUint64(f.Append(AppendHead(b, h, name, dataLen)), at)
}

// ParseReference reads a payload that is one such message, in which the marks may be those of what follows. It reports false when it
// is none.
func ParseReference(b []byte, h *message.Header, marks Marks) (name []byte, dataLen uint32, f Following, at uint64, ok bool) {
	if len(b) < ReferenceBytes(0, &f) {
		return nil, 0, f, 0, false
	}
	nameLen, dataLen := SplitLengths(b)
	parseHeader(b[:MessageHeaderBytes], h)
	body := b[MessageHeaderBytes : len(b)-8]
	if uint64(nameLen) > uint64(len(body)) {
		return nil, 0, f, 0, false
	}
	f, rest, ok := marks.Cut(h, body[nameLen:])
	if !ok || len(rest) > 0 {
		return nil, 0, f, 0, false
	}
	return body[:nameLen:nameLen], dataLen, f, le.Uint64(b[len(b)-8:]), true
}

// ParseSplit reads a message of which b is header and name, and data the data. It reports false when the lengths in it
// are others.
func ParseSplit(b, data []byte, h *message.Header) (name []byte, ok bool) {
	if len(b) < MessageHeaderBytes {
		return nil, false
	}
	nameLen, dataLen := SplitLengths(b)
	if uint64(nameLen) != uint64(len(b)-MessageHeaderBytes) || uint64(dataLen) != uint64(len(data)) {
		return nil, false
	}
	parseHeader(b[:MessageHeaderBytes], h)
	return b[MessageHeaderBytes:], true
}

// SplitLengths are the lengths of name and data of the message that begins with b.
func SplitLengths(b []byte) (nameLen, dataLen uint32) {
	_ = b[MessageHeaderBytes-1]
	return le.Uint32(b[48:]), le.Uint32(b[52:])
}
