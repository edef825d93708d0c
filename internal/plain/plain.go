// Package plain makes text of others harmless to print.
package plain

import (
	"strings"
	"unicode"
)

// Text shows what could be a tab, a line break or something that a terminal obeys as "?". The name of a program is
// whatever its process says, and what another bowl tells of itself is no better.
func Text(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
