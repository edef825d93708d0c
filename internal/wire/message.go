package wire

import (
	"slices"

	"kbus.example/kbus/message"
)

// A message in a frame is its header as 14 numbers, then the name, then the data. Unlike the entire form (R2.5) it has
// no guards, pointers or padding: the frame bounds it already, so they would only be more that could be wrong.
// Several messages may follow each other in one payload, since each tells its own length.

// MessageHeaderBytes is the length of a message in a frame without its name and data.
const MessageHeaderBytes = 56

// MessageBytes is the length of a message in a frame.
func MessageBytes(nameLen, dataLen int) int { return MessageHeaderBytes + nameLen + dataLen }

// AppendMessage appends a message. Name and data are copied once, straight to their place.
func AppendMessage(b []byte, h *message.Header, name, data []byte) []byte {
	b = slices.Grow(b, MessageBytes(len(name), len(data)))
	return append(AppendHead(b, h, name, len(data)), data...)
}

// AppendHead appends a message without its data, which must follow.
func AppendHead(b []byte, h *message.Header, name []byte, dataLen int) []byte {
	b = slices.Grow(b, MessageBytes(len(name), 0))
	at := len(b)
	b = b[:at+MessageHeaderBytes]
	m := b[at : at+MessageHeaderBytes : at+MessageHeaderBytes]
	le.PutUint32(m[0:], h.ID.Network)
	le.PutUint32(m[4:], h.ID.Serial)
	le.PutUint32(m[8:], h.InReplyTo.Network)
	le.PutUint32(m[12:], h.InReplyTo.Serial)
	le.PutUint32(m[16:], uint32(h.To))
	le.PutUint32(m[20:], uint32(h.From))
	le.PutUint32(m[24:], h.OrigFrom.Network)
	le.PutUint32(m[28:], h.OrigFrom.Local)
	le.PutUint32(m[32:], h.FinalTo.Network)
	le.PutUint32(m[36:], h.FinalTo.Local)
	le.PutUint32(m[40:], h.Extra)
	le.PutUint32(m[44:], uint32(h.Flags))
	le.PutUint32(m[48:], uint32(len(name)))
	le.PutUint32(m[52:], uint32(dataLen))
	return append(b, name...)
}

// ParseMessage reads the message at the beginning of b into h; name and data point into b, and rest is what follows. It
// reports false, and leaves h alone, when b is too short for the lengths in it. It judges nothing else: the taker of
// the message checks its name and flags.
func ParseMessage(b []byte, h *message.Header) (name, data, rest []byte, ok bool) {
	if len(b) < MessageHeaderBytes {
		return nil, nil, nil, false
	}
	m := b[:MessageHeaderBytes]
	nameLen, dataLen := uint64(le.Uint32(m[48:])), uint64(le.Uint32(m[52:]))
	body := b[MessageHeaderBytes:]
	if nameLen+dataLen > uint64(len(body)) {
		return nil, nil, nil, false
	}
	parseHeader(m, h)
	end := nameLen + dataLen
	return body[:nameLen:nameLen], body[nameLen:end:end], body[end:], true
}

// parseHeader reads the 56 bytes m, but for the lengths.
func parseHeader(m []byte, h *message.Header) {
	h.ID = message.ID{Network: le.Uint32(m[0:]), Serial: le.Uint32(m[4:])}
	h.InReplyTo = message.ID{Network: le.Uint32(m[8:]), Serial: le.Uint32(m[12:])}
	h.To, h.From = message.KsockID(le.Uint32(m[16:])), message.KsockID(le.Uint32(m[20:]))
	h.OrigFrom = message.Origin{Network: le.Uint32(m[24:]), Local: le.Uint32(m[28:])}
	h.FinalTo = message.Origin{Network: le.Uint32(m[32:]), Local: le.Uint32(m[36:])}
	h.Extra, h.Flags = le.Uint32(m[40:]), message.Flags(le.Uint32(m[44:]))
}
