package wire

import "kbus.example/kbus/message"

// Message ids and the outcome of a send are the two small results that several operations share. The outcome has the
// number of Listeners that were skipped, so that a full queue is never a silent loss.

// IDBytes is the length of a message id in a payload.
const IDBytes = 8

// AppendID appends network and serial.
func AppendID(b []byte, id message.ID) []byte {
	return le.AppendUint32(le.AppendUint32(b, id.Network), id.Serial)
}

// ParseID reads a payload that is one id.
func ParseID(b []byte) (id message.ID, ok bool) {
	if len(b) != IDBytes {
		return id, false
	}
	return message.ID{Network: le.Uint32(b), Serial: le.Uint32(b[4:])}, true
}

// Sent is what a send that was accepted tells.
type Sent struct {
	ID      message.ID
	Reached uint32 // recipients that got the message
	Skipped uint32 // Listener bindings passed over because their queue was full (R4.18)
}

// SentBytes is the length of a Sent in a payload.
const SentBytes = 16

// AppendSent appends the four numbers of s.
func AppendSent(b []byte, s Sent) []byte {
	return le.AppendUint32(le.AppendUint32(AppendID(b, s.ID), s.Reached), s.Skipped)
}

// ParseSent reads a payload that is one Sent.
func ParseSent(b []byte) (s Sent, ok bool) {
	if len(b) != SentBytes {
		return s, false
	}
	id, _ := ParseID(b[:IDBytes])
	return Sent{id, le.Uint32(b[8:]), le.Uint32(b[12:])}, true
}
