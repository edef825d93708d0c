package wire

import "kbus/message"

// Two forms of a message whose data does not follow its name. One tells where the data lies in memory that both sides
// know, and stands in a window (docs/protocol.md, section 17). The other has it next to it, for a reader of frames that
// leaves long data where it is.

// ReferenceBytes is the length of a message whose data lies elsewhere: header, name, and where.
func ReferenceBytes(nameLen int) int { return MessageHeaderBytes + nameLen + 8 }

// AppendReference appends a message whose dataLen bytes of data lie at a place in the log.
func AppendReference(b []byte, h *message.Header, name []byte, dataLen int, at uint64) []byte {
	return le.AppendUint64(AppendHead(b, h, name, dataLen), at)
}

// ParseReference reads a payload that is one such message. It reports false when it is none.
func ParseReference(b []byte, h *message.Header) (name []byte, dataLen uint32, at uint64, ok bool) {
	if len(b) < ReferenceBytes(0) {
		return nil, 0, 0, false
	}
	nameLen, dataLen := SplitLengths(b)
	if uint64(nameLen) != uint64(len(b)-ReferenceBytes(0)) {
		return nil, 0, 0, false
	}
	parseHeader(b[:MessageHeaderBytes], h)
	end := len(b) - 8
	return b[MessageHeaderBytes:end:end], dataLen, le.Uint64(b[end:]), true
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
