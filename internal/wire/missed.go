package wire

import "kbus.example/kbus/message"

// A message may carry how many messages its client missed just before it. Then it has the flag message.MissedMark, and
// the number follows its data; the lengths in the message do not count it. Clients that have not asked for that
// (FeatureMissed) get the flag as its sender has set it, and no number.

// MissedBytes is the length of that number.
const MissedBytes = 4

// Mark puts the mark on a header, or takes off what its sender may have put there.
func Mark(h *message.Header, missed uint32) {
	h.Flags &^= message.MissedMark
	if missed > 0 {
		h.Flags |= message.MissedMark
	}
}

// MarkBytes is how long what follows the data of a marked message is, 0 for others.
func MarkBytes(missed uint32) int {
	if missed > 0 {
		return MissedBytes
	}
	return 0
}

// AppendMissed appends what follows the data.
func AppendMissed(b []byte, missed uint32) []byte {
	if missed > 0 {
		b = le.AppendUint32(b, missed)
	}
	return b
}

// ParseMissed reads it from what follows a message, and takes the mark off its header.
func ParseMissed(h *message.Header, b []byte) (missed uint32, rest []byte, ok bool) {
	if !h.Flags.Has(message.MissedMark) {
		return 0, b, true
	}
	if len(b) < MissedBytes {
		return 0, nil, false
	}
	h.Flags &^= message.MissedMark
	return le.Uint32(b), b[MissedBytes:], true
}

// MissedTotalBytes is the length of the payload of Missed's result: how many this Ksock has missed in all.
const MissedTotalBytes = 8

// AppendMissedTotal appends that payload.
func AppendMissedTotal(b []byte, total uint64) []byte { return le.AppendUint64(b, total) }

// ParseMissedTotal reads it.
func ParseMissedTotal(b []byte) (total uint64, ok bool) {
	if len(b) != MissedTotalBytes {
		return 0, false
	}
	return le.Uint64(b), true
}
