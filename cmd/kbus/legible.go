package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"kbus.example/kbus"
)

// A person reads what is printed. Text is shown as it is, in whatever script; what a terminal would obey is escaped.
// Data that is not text is cut short, in hexadecimal digits: a person does not read it, and there may be megabytes of
// it.

// shownBytes is how much is shown of data that is no text.
const shownBytes = 16

// legible prints a message as its String does, but for data that is not plain ASCII.
func legible(m *kbus.Message) string {
	whole := m.String()
	bare := *m
	bare.Data = nil
	if whole == bare.String() || isASCII(m.Data) || m.Name == kbus.NameReplierBindEvent {
		return whole
	}
	head, _ := strings.CutSuffix(bare.String(), ">")
	return head + ", data=" + legibleData(m.Data) + ">"
}

func isASCII(data []byte) bool {
	for _, b := range data {
		if b >= utf8.RuneSelf || isBinary(rune(b)) {
			return false
		}
	}
	return true
}

// isBinary reports whether a character does not belong into text: control characters, but for those that lay it out or
// colour it.
func isBinary(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\x1b", r) || r == 0x7f }

func legibleData(data []byte) string {
	text := string(data)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, isBinary) {
		shown, more := data, ""
		if len(shown) > shownBytes {
			shown, more = shown[:shownBytes], "..."
		}
		return fmt.Sprintf("<%s: %x%s>", plural(len(data), "byte"), shown, more)
	}
	quote := "'"
	if strings.Contains(text, quote) && !strings.Contains(text, `"`) {
		quote = `"`
	}
	var b strings.Builder
	b.WriteString(quote)
	for _, r := range text {
		switch {
		case string(r) == quote, r == '\\':
			b.WriteString("\\" + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r): // among them what turns the direction of writing
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(quote)
	return b.String()
}
