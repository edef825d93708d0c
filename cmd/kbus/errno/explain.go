package errno

import (
	"fmt"
	"strings"
)

// The shapes of the lines are fixed (R10.70), so that what reads them goes on reading them. Only the meanings, below
// the line "KBUS:", are prose.

// Explain tells all about the number or name that a person typed. An unknown one is no failure: the text says so.
func Explain(typed string) string {
	e, known := Find(typed)
	n, isNumber := parseNumber(typed)
	switch {
	case isNumber && known:
		return fmt.Sprintf("Error %d (%#x) is %s: %s\n", e.Number, e.Number, e.Name, e.Text) + e.meaningsText()
	case isNumber:
		return fmt.Sprintf("Unrecognised error code number %d\n", n)
	case known:
		return fmt.Sprintf("%s is error %d (%#x): %s\n", typed, e.Number, e.Number, e.Text) + e.meaningsText()
	}
	return fmt.Sprintf("Unrecognised error code mnemonic %s\n", typed)
}

// Line is the entry in a list.
func (e Entry) Line() string { return fmt.Sprintf("%3d: %-20s %s\n", e.Number, e.Name, e.Text) }

func (e Entry) meaningsText() string {
	if len(e.Meanings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nKBUS:\n")
	for _, m := range e.Meanings {
		fold(&b, m.When+": "+m.What)
	}
	return b.String()
}

// width leaves room for a name in front, where an actor reads an explanation aloud.
const width = 76

// fold writes a paragraph in lines of at most width columns, all but the first indented.
func fold(b *strings.Builder, paragraph string) {
	column := 0
	for _, word := range strings.Fields(paragraph) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteString("\n  ")
			column = 2
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
}
