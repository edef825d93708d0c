package message

import (
	"fmt"
	"strings"
)

// Messages as text, on one line, for people: logs, `kbus listen`, tests. Scripts compare these lines, so their form is fixed.

var flagWords = [...]struct {
	flag Flags
	word string
}{
	{WantAReply, "REQ"}, {WantYouToReply, "YOU"}, {Synthetic, "SYN"}, {Urgent, "URG"}, {AllOrFail, "aFL"}, {AllOrWait, "aWT"},
}

// String gives the hexadecimal value and, in parentheses, the words of the known bits: "0x3 (REQ,YOU)".
func (fl Flags) String() string {
	var words []string
	for _, f := range flagWords {
		if fl.Has(f.flag) {
			words = append(words, f.word)
		}
	}
	if len(words) == 0 {
		return fmt.Sprintf("%#x", uint32(fl))
	}
	return fmt.Sprintf("%#x (%s)", uint32(fl), strings.Join(words, ","))
}

// String prints the message on one line, only those fields that are set:
//
//	<Request '$.Lamp.Set', id=[0:12], from=4, flags=0x3 (REQ,YOU), data='on'>
//
// An Announcement that is a bind event shows what it says instead of its name and data.
func (m *Message) String() string {
	var s []string
	kind := m.Kind().String()
	event, isEvent := BindEvent{}, false
	if m.Name == NameReplierBindEvent && m.Kind() == AnnouncementKind {
		event, isEvent = ParseBindEvent(m.Data)
	}
	add := func(set bool, format string, args ...any) {
		if set {
			s = append(s, fmt.Sprintf(format, args...))
		}
	}
	if isEvent {
		kind = "ReplierBindEvent"
	} else {
		kind += " '" + m.Name + "'"
	}
	add(!m.ID.IsZero(), "id=%v", m.ID)
	add(m.To != 0, "to=%d", m.To)
	add(m.From != 0, "from=%d", m.From)
	add(!m.OrigFrom.IsZero(), "orig_from=%v", m.OrigFrom)
	add(!m.FinalTo.IsZero(), "final_to=%v", m.FinalTo)
	add(!m.InReplyTo.IsZero(), "in_reply_to=%v", m.InReplyTo)
	add(m.Flags != 0, "flags=%v", m.Flags)
	if isEvent {
		verb := "Unbind"
		if event.Bind {
			verb = "Bind"
		}
		add(true, "[%s '%s' for %d]", verb, event.Name, event.Binder)
	} else {
		add(len(m.Data) > 0, "data=%s", Quote(m.Data))
	}
	if len(s) == 0 {
		return "<" + kind + ">"
	}
	sep := ", "
	if isEvent {
		sep = " "
	}
	return "<" + kind + sep + strings.Join(s, ", ") + ">"
}

// Quote shows bytes as Python shows them, without the b: in single quotes, or in double quotes when they hold a single
// one and no double one; printable ASCII as it is, the rest escaped.
func Quote(data []byte) string {
	quote := byte('\'')
	if strings.IndexByte(string(data), '\'') >= 0 && strings.IndexByte(string(data), '"') < 0 {
		quote = '"'
	}
	b := []byte{quote}
	for _, c := range data {
		switch {
		case c == quote || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ' || c >= 0x7f:
			b = fmt.Appendf(b, "\\x%02x", c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, quote))
}
