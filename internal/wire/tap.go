package wire

import "kbus.example/kbus/message"

// A tap is shown what a bus does. Its request says what of that it wants; what it is shown are frames that nobody asked for
// one by one, each with one event.

// TapFilter is what a tap wants to see.
type TapFilter struct {
	OnlyFailures bool   // what was refused, what somebody missed, and Statuses
	Kinds        uint32 // a bit for each kind of event, 1<<kind, or of message that is sent, as TapRequests; 0: all
	Ksock        uint32 // only what it does, sends or is sent; 0: all
	DataBytes    uint32 // how much of each message's data is shown at most
	Patterns     []string
}

// IsAll reports whether everything passes it.
func (f *TapFilter) IsAll() bool {
	return !f.OnlyFailures && f.Kinds == 0 && f.Ksock == 0 && len(f.Patterns) == 0
}

// Messages that are sent can be told apart in TapFilter.Kinds.
const (
	TapAnnouncements uint32 = 1 << 16
	TapRequests      uint32 = 1 << 17
	TapReplies       uint32 = 1 << 18
)

const (
	tapFilterBytes  = 16
	tapOnlyFailures = 1
)

// AppendTapFilter appends the payload of a Tap.
func AppendTapFilter(b []byte, f TapFilter) []byte {
	flags := uint32(0)
	if f.OnlyFailures {
		flags = tapOnlyFailures
	}
	for _, n := range [...]uint32{flags, f.Kinds, f.Ksock, f.DataBytes} {
		b = le.AppendUint32(b, n)
	}
	for _, p := range f.Patterns {
		b = le.AppendUint16(b, uint16(len(p)))
		b = append(b, p...)
	}
	return b
}

// ParseTapFilter reads it. It reports false when it is not one. The patterns are not judged.
func ParseTapFilter(b []byte) (f TapFilter, ok bool) {
	if len(b) < tapFilterBytes || le.Uint32(b)&^tapOnlyFailures != 0 {
		return TapFilter{}, false
	}
	f = TapFilter{OnlyFailures: le.Uint32(b) != 0, Kinds: le.Uint32(b[4:]), Ksock: le.Uint32(b[8:]), DataBytes: le.Uint32(b[12:])}
	for b = b[tapFilterBytes:]; len(b) > 0; {
		if len(b) < 2 || len(b) < 2+int(le.Uint16(b)) {
			return TapFilter{}, false
		}
		n := 2 + int(le.Uint16(b))
		f.Patterns = append(f.Patterns, string(b[2:n]))
		b = b[n:]
	}
	return f, true
}

// TapEvent is the payload of a Tapped frame. The condition of the frame is what came of it, its argument the kind.
type TapEvent struct {
	Missed    uint64 // events that the tap did not get, because it was slow, just before this one
	Boot      int64  // when, in nanoseconds since the machine was started
	Wall      int64  // the same in nanoseconds since 1970
	Ksock     uint32 // whose doing; 0: the bus's
	UID       uint32
	GID       uint32
	PID       uint32
	Reached   uint32
	Skipped   uint32
	SetAside  uint32
	AsReplier bool   // of bindings
	Replier   uint32 // the Ksock that a sent Request went to
	DataBytes uint32 // of the message, of which less may be shown
	Program   string // at most MaxProgramBytes of it
	Header    message.Header
	Name      []byte
	Data      []byte
	Trace     []byte // its trace context, as it follows a message whose header has the mark; nil: none
}

const (
	tapEventBytes = 68
	tapAsReplier  = 1
)

// Bytes is how long the payload is.
func (e *TapEvent) Bytes() int {
	return tapEventBytes + min(len(e.Program), MaxProgramBytes) + MessageBytes(len(e.Name), len(e.Data)) + len(e.Trace)
}

// AppendTapEvent appends the payload.
func AppendTapEvent(b []byte, e *TapEvent) []byte {
	program := e.Program[:min(len(e.Program), MaxProgramBytes)]
	flags := uint32(0)
	if e.AsReplier {
		flags = tapAsReplier
	}
	for _, n := range [...]uint64{e.Missed, uint64(e.Boot), uint64(e.Wall)} {
		b = le.AppendUint64(b, n)
	}
	for _, n := range [...]uint32{e.Ksock, e.UID, e.GID, e.PID, e.Reached, e.Skipped, e.SetAside, e.DataBytes, flags,
		e.Replier, uint32(len(program))} {
		b = le.AppendUint32(b, n)
	}
	b = append(b, program...)
	return append(AppendMessage(b, &e.Header, e.Name, e.Data), e.Trace...)
}

// ParseTapEvent reads it; Name, Data and Trace point into b. It reports false when it is not one. If nothing follows the data, the mark of
// a trace context is a flag of the sender's: so it is with events of daemons that do not know it.
func ParseTapEvent(b []byte, e *TapEvent) bool {
	if len(b) < tapEventBytes || uint64(le.Uint32(b[64:])) > uint64(len(b)-tapEventBytes) {
		return false
	}
	*e = TapEvent{Missed: le.Uint64(b), Boot: int64(le.Uint64(b[8:])), Wall: int64(le.Uint64(b[16:])),
		AsReplier: le.Uint32(b[56:])&tapAsReplier != 0, Replier: le.Uint32(b[60:])}
	for i, n := range [...]*uint32{&e.Ksock, &e.UID, &e.GID, &e.PID, &e.Reached, &e.Skipped, &e.SetAside, &e.DataBytes} {
		*n = le.Uint32(b[24+4*i:])
	}
	end := tapEventBytes + int(le.Uint32(b[64:]))
	e.Program = string(b[tapEventBytes:end])
	var rest []byte
	var ok bool
	e.Name, e.Data, rest, ok = ParseMessage(b[end:], &e.Header)
	if ok && len(rest) > 0 {
		e.Trace, rest, ok = CutTrace(&e.Header, rest)
	}
	return ok && len(rest) == 0
}
