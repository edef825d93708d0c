package mcap

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// Events are written as JSON by hand: a recorder has to keep up with a bus, and this is many times as fast as what looks at a
// type to see how it is written.

// members is a JSON object that is being written.
type members []byte

func (m *members) member(name string) {
	if (*m)[len(*m)-1] != '{' {
		*m = append(*m, ',')
	}
	*m = append(append(append(*m, '"'), name...), '"', ':')
}

func (m *members) number(name string, n uint64) {
	m.member(name)
	*m = strconv.AppendUint(*m, n, 10)
}

// some adds a number that is not 0.
func (m *members) some(name string, n uint64) {
	if n != 0 {
		m.number(name, n)
	}
}

// pair adds two numbers, if they are not both 0.
func (m *members) pair(name string, a, b uint32) {
	if a|b == 0 {
		return
	}
	m.member(name)
	*m = strconv.AppendUint(append(*m, '"'), uint64(a), 10)
	*m = append(strconv.AppendUint(append(*m, ':'), uint64(b), 10), '"')
}

// word adds a text of ours, in which nothing needs care.
func (m *members) word(name, s string) {
	m.member(name)
	*m = append(append(append(*m, '"'), s...), '"')
}

// text adds a text that is valid UTF-8, if there is some.
func (m *members) text(name string, s string) {
	if s == "" {
		return
	}
	m.member(name)
	*m = append(*m, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			*m = append(*m, '\\', c)
		case c < ' ':
			const digits = "0123456789abcdef"
			*m = append(*m, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			*m = append(*m, c)
		}
	}
	*m = append(*m, '"')
}

// bytes adds bytes as text, if they are that, or as base64.
func (m *members) bytes(name string, b []byte) {
	if isText(b) {
		m.text(name, string(b))
		return
	}
	m.member(name + "_base64")
	*m = append(base64.StdEncoding.AppendEncode(append(*m, '"'), b), '"')
}

// isText tells text from bytes: text is UTF-8, and has no control characters but tabs and the ends of lines.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7F {
			return false
		}
	}
	return utf8.Valid(b)
}

// appendObject appends an event. docs/recordings.md tells what is there when.
func appendObject(b []byte, e *event.Event) []byte {
	m, h := members(append(b, '{')), &e.Header
	m.member("time")
	m = append(time.Unix(0, e.Wall).UTC().AppendFormat(append(m, '"'), time.RFC3339Nano), '"')
	m.number("serial", e.Serial)
	m.number("bus", uint64(e.Bus))
	m.word("happened", e.Kind.String())
	if kind, ok := e.MessageKind(); ok {
		m.word("kind", strings.ToLower(kind.String()))
	}
	if e.Condition != message.OK {
		m.number("condition", uint64(e.Condition))
		m.word("result", e.Condition.Name())
	}
	m.bytes("name", e.Name)
	m.pair("id", h.ID.Network, h.ID.Serial)
	m.some("from", uint64(h.From))
	m.some("to", uint64(h.To))
	m.pair("in_reply_to", h.InReplyTo.Network, h.InReplyTo.Serial)
	m.pair("orig_from", h.OrigFrom.Network, h.OrigFrom.Local)
	m.pair("final_to", h.FinalTo.Network, h.FinalTo.Local)
	m.some("extra", uint64(h.Extra))
	m.some("flags", uint64(h.Flags))
	m.bytes("data", e.Data)
	m.some("data_bytes", uint64(e.DataBytes))
	if trace := message.TraceOf(e.Trace); trace != nil {
		m.bytes("traceparent", []byte(trace.Parent))
		m.bytes("tracestate", []byte(trace.State))
	}
	m.number("ksock", uint64(e.Ksock))
	m.text("program", strings.ToValidUTF8(e.Program, "?"))
	m.number("pid", uint64(e.PID))
	m.number("uid", uint64(e.UID))
	m.number("gid", uint64(e.GID))
	m.some("reached", uint64(e.Reached))
	m.some("skipped", uint64(e.Skipped))
	m.some("set_aside", uint64(e.SetAside))
	if e.AsReplier {
		m.member("as_replier")
		m = append(m, "true"...)
	}
	m.some("replier", uint64(e.Replier))
	m.some("missed", e.Missed)
	m.member("boot_ns")
	return append(strconv.AppendInt(m, e.Boot, 10), '}')
}
