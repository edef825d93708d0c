package wire

import "kbus.example/kbus/message"

// A message may carry a trace context. Then it has the flag message.TraceMark, and the trace context follows its data, behind the number
// of missed messages if there is one; the lengths in the message do not count it. Clients that have not asked for it (FeatureTrace)
// get the flag as its sender has set it, and nothing more; what they send has no trace context.

// MarkTrace puts the mark on a header, or takes off what its sender may have put there.
func MarkTrace(h *message.Header, trace []byte) {
	h.Flags &^= message.TraceMark
	if len(trace) > 0 {
		h.Flags |= message.TraceMark
	}
}

// CutTrace takes it, as bytes, from what follows a message, and the mark off its header.
func CutTrace(h *message.Header, b []byte) (trace, rest []byte, ok bool) {
	if !h.Flags.Has(message.TraceMark) {
		return nil, b, true
	}
	if trace, rest, ok = message.CutTrace(b); ok {
		h.Flags &^= message.TraceMark
	}
	return trace, rest, ok
}
