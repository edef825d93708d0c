package message

import "strings"

// A message may carry a trace context: to which trace the work belongs that it was sent for, so that tools can put together what
// many programs have done. It is what the W3C has for HTTP (https://www.w3.org/TR/trace-context/), and to KBUS it is bytes: they
// arrive as they were sent, whatever a later version of that standard puts there.

// Trace is a trace context. Once it belongs to a message it is not changed: a Request and its Reply may have the same one.
type Trace struct {
	Parent string // the value of traceparent; without one there is no trace context
	State  string // the value of tracestate, or nothing
}

// The longest values that a message can carry. A traceparent of today has 55 bytes, and the standard wants 512 of a tracestate to be
// handed on.
const (
	MaxTraceParentBytes = 128
	MaxTraceStateBytes  = 512
)

// Empty reports whether there is no trace context; it is for nil, too.
func (t *Trace) Empty() bool { return t == nil || t.Parent == "" }

// TraceID gives the id of the trace: 32 hexadecimal digits, or nothing where the traceparent is not of the usual form. A tool that
// looks for a trace asks this; it is for nil, too.
func (t *Trace) TraceID() string {
	if t.Empty() {
		return ""
	}
	_, rest, _ := strings.Cut(t.Parent, "-")
	id, _, _ := strings.Cut(rest, "-")
	if !IsTraceID(id) {
		return ""
	}
	return id
}

// IsTraceID reports whether a text is the id of a trace.
func IsTraceID(id string) bool { return isHex(id, 32) && strings.Trim(id, "0") != "" }

// TraceparentForm is what a traceparent looks like, for people.
const TraceparentForm = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01: version, trace, span and flags, in lower-case hexadecimal digits"

// TraceparentFault says what is wrong with a traceparent that somebody has typed, or gives nothing. The bus and the libraries do not
// ask: to them it is bytes.
func TraceparentFault(parent string) string {
	field := strings.SplitN(parent, "-", 5)
	switch {
	case len(field) < 4:
		return "it has " + plural(len(field), "part")
	case !isHex(field[0], 2) || field[0] == "ff":
		return "its version is not two digits, or ff"
	case !IsTraceID(field[1]):
		return "its trace is not 32 digits, or all of them are 0"
	case !isHex(field[2], 16) || strings.Trim(field[2], "0") == "":
		return "its span is not 16 digits, or all of them are 0"
	case !isHex(field[3], 2):
		return "its flags are not two digits"
	case len(field) > 4 && field[0] == "00":
		return "version 00 has nothing behind the flags"
	case len(parent) > MaxTraceParentBytes:
		return "it is longer than 128 bytes"
	}
	return ""
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

func plural(n int, of string) string {
	if n == 1 {
		return "one " + of
	}
	return [...]string{"no", "one", "two", "three", "four"}[min(n, 4)] + " " + of + "s"
}
