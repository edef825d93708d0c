package wire

import "kbus.example/kbus/message"

// Following is what may follow the data of a message, in this order: how many messages its reader missed just before it
// (missed.go), and its trace context (trace.go). Of most messages it is nothing.
type Following struct {
	Missed uint32
	Trace  []byte // as it follows the data
}

// Marks are which of that both sides have agreed on. The mark of what they have not agreed on is the sender's own flag, and says nothing.
type Marks struct{ Missed, Trace bool }

// FeaturesFollowing are the features that ask for it.
const FeaturesFollowing = FeatureMissed | FeatureTrace

// MarksOf tells them from the features of a connection.
func MarksOf(features uint32) Marks {
	return Marks{features&FeatureMissed != 0, features&FeatureTrace != 0}
}

// Put puts the marks on a header, and gives what is to follow the message.
func (m Marks) Put(h *message.Header, missed uint32, trace []byte) (f Following) {
	if m.Missed {
		Mark(h, missed)
		f.Missed = missed
	}
	if m.Trace {
		MarkTrace(h, trace)
		f.Trace = trace
	}
	return f
}

// Cut takes what follows a message, as its marks say, and the marks off its header.
func (m Marks) Cut(h *message.Header, b []byte) (f Following, rest []byte, ok bool) {
	rest, ok = b, true
	if h.Flags&(message.MissedMark|message.TraceMark) == 0 {
		return f, rest, ok
	}
	if m.Missed {
		f.Missed, rest, ok = ParseMissed(h, rest)
	}
	if ok && m.Trace {
		f.Trace, rest, ok = CutTrace(h, rest)
	}
	return f, rest, ok
}

// Bytes is how long it is.
func (f *Following) Bytes() int { return MarkBytes(f.Missed) + len(f.Trace) }

// Append appends it.
func (f *Following) Append(b []byte) []byte { return append(AppendMissed(b, f.Missed), f.Trace...) }
