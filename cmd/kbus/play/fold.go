package play

import (
	"strings"
	"unicode/utf8"
)

// fold breaks text at spaces into lines of at most columns, and indents all but the first. A word longer than a line
// stays whole: terminals break it themselves. Spaces within a line stay as they are, because what actors print is shown
// as they printed it.
func fold(text string, columns int, indent string) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.SplitAfterSeq(strings.ReplaceAll(text, "\n", " "), " ") {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+utf8.RuneCountInString(strings.TrimRight(word, " ")) > columns {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = indent, len(indent)
		}
		line += word
		used += n
	}
	return append(lines, line)
}
