package message

import (
	"encoding/binary"
	"fmt"
)

// A trace context as bytes, as it follows the data of a message in the socket protocol, in recordings and between Limpets: the lengths of
// traceparent and tracestate in two bytes each, little-endian, and the two values. Whoever only hands it on keeps the whole of it.

const traceLengths = 4

// MaxTraceBytes is how long it can be.
const MaxTraceBytes = traceLengths + MaxTraceParentBytes + MaxTraceStateBytes

// AppendTrace appends a trace context, or nothing if there is none. It must be within its limits, see Fault.
func AppendTrace(b []byte, t *Trace) []byte {
	if t.Empty() {
		return b
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(t.Parent)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(t.State)))
	return append(append(b, t.Parent...), t.State...)
}

// TraceBytes is how many bytes AppendTrace appends.
func TraceBytes(t *Trace) int {
	if t.Empty() {
		return 0
	}
	return traceLengths + len(t.Parent) + len(t.State)
}

// CutTrace takes a trace context, as bytes, from the beginning of b. It reports false when b is too short for the lengths in it.
func CutTrace(b []byte) (trace, rest []byte, ok bool) {
	if len(b) < traceLengths {
		return nil, nil, false
	}
	n := traceLengths + int(binary.LittleEndian.Uint16(b)) + int(binary.LittleEndian.Uint16(b[2:]))
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

// TraceOf is the trace context that CutTrace has taken; nil for no bytes.
func TraceOf(trace []byte) *Trace {
	if len(trace) < traceLengths {
		return nil
	}
	values := trace[traceLengths:]
	n := min(int(binary.LittleEndian.Uint16(trace)), len(values))
	return &Trace{Parent: string(values[:n]), State: string(values[n:])}
}

// TraceFault says why the bytes of a trace context cannot be carried; OK if they can, and for none.
func TraceFault(trace []byte) (c Condition, why string) {
	if len(trace) < traceLengths {
		return OK, ""
	}
	parent := int(binary.LittleEndian.Uint16(trace))
	return traceFault(parent, len(trace)-traceLengths-parent)
}

// Fault says why a trace context cannot be carried; OK if it can. It is for nil, too.
func (t *Trace) Fault() (c Condition, why string) {
	if t.Empty() {
		return OK, ""
	}
	return traceFault(len(t.Parent), len(t.State))
}

func traceFault(parent, state int) (c Condition, why string) {
	const most = "its %s has %d bytes, and %d are the most that a message carries"
	switch {
	case parent == 0:
		return ErrMalformed, "it has a tracestate and no traceparent"
	case parent > MaxTraceParentBytes:
		return ErrMessageTooLong, fmt.Sprintf(most, "traceparent", parent, MaxTraceParentBytes)
	case state > MaxTraceStateBytes:
		return ErrMessageTooLong, fmt.Sprintf(most, "tracestate", state, MaxTraceStateBytes)
	}
	return OK, ""
}
