package kmsg

import (
	"fmt"
	"strings"

	"kbus.example/kbus"
)

// The original's C library prints a message in a form of its own (R10.6): no commas, and data without quotes.

// abridgedBytes is how much data an abridged line shows.
const abridgedBytes = 20

var flagWords = []struct {
	flag kbus.Flags
	word string
}{
	{kbus.WantAReply, "REQ"}, {kbus.WantYouToReply, "YOU"}, {kbus.Synthetic, "SYN"}, {kbus.Urgent, "URG"},
	{kbus.AllOrFail, "aFL"}, {kbus.AllOrWait, "aWT"},
}

// Line is the message on one line.
func Line(m *kbus.Message, abridge bool) string {
	var b strings.Builder
	event, isEvent := kbus.BindEvent{}, false
	if m.Name == kbus.NameReplierBindEvent && m.Kind() == kbus.AnnouncementKind {
		event, isEvent = kbus.ParseBindEvent(m.Data)
	}
	if isEvent {
		b.WriteString("<ReplierBindEvent")
	} else {
		fmt.Fprintf(&b, "<%v '%s'", m.Kind(), m.Name)
	}
	add := func(set bool, format string, args ...any) {
		if set {
			fmt.Fprintf(&b, format, args...)
		}
	}
	add(!m.ID.IsZero(), " id=%v", m.ID)
	add(m.To != 0, " to=%d", m.To)
	add(m.From != 0, " from=%d", m.From)
	add(!m.OrigFrom.IsZero(), " orig_from=%v", m.OrigFrom)
	add(!m.FinalTo.IsZero(), " final_to=%v", m.FinalTo)
	add(!m.InReplyTo.IsZero(), " in_reply_to=%v", m.InReplyTo)
	add(m.Flags != 0, " flags=%s", flags(m.Flags))
	if isEvent {
		verb := "Unbind"
		if event.Bind {
			verb = "Bind"
		}
		add(true, " data= [%s '%s' for %d]", verb, event.Name, event.Binder)
	} else {
		add(len(m.Data) > 0, " data=%s", text(m.Data, abridge))
	}
	return b.String() + ">"
}

func flags(f kbus.Flags) string {
	text := fmt.Sprintf("%#x", uint32(f))
	for _, w := range flagWords {
		if f.Has(w.flag) {
			text += " " + w.word
		}
	}
	return text
}

// text shows printable bytes as they are, others as \xNN.
func text(data []byte, abridge bool) string {
	var b strings.Builder
	for i, c := range data {
		if abridge && i == abridgedBytes {
			b.WriteString("...")
			break
		}
		if c >= ' ' && c <= '~' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

// Dump is the message on several lines, a field on each.
func Dump(m *kbus.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Message %v\n", m.Kind())
	for _, field := range []struct {
		name  string
		value any
	}{
		{"name", m.Name}, {"id", m.ID}, {"in_reply_to", m.InReplyTo}, {"to", m.To}, {"from", m.From},
		{"orig_from", m.OrigFrom}, {"final_to", m.FinalTo}, {"flags", flags(m.Flags)}, {"data_len", len(m.Data)},
	} {
		fmt.Fprintf(&b, "  %-12s %v\n", field.name+":", field.value)
	}
	for at := 0; at < len(m.Data); at += 16 {
		fmt.Fprintf(&b, "  %04x  % x\n", at, m.Data[at:min(at+16, len(m.Data))])
	}
	return b.String()
}
