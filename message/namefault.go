package message

import (
	"fmt"
	"unicode/utf8"
)

// A bad name is one condition, for a program cannot mend it. The person who wrote the name wants to know which character
// is wrong; this file finds it.

// NameFault says, in a few words, what is wrong with a name that CheckName or CheckBinding refuses; "" if nothing is.
// original says that the original's rule holds, binding that a wildcard may end the name.
func NameFault[T text](name T, original, binding bool) string {
	switch {
	case len(name) == 0:
		return "the name is empty"
	case len(name) > MaxNameBytes:
		return fmt.Sprintf("the name has %d bytes, %d are the most", len(name), MaxNameBytes)
	case len(name) < 2 || name[0] != '$' || name[1] != '.':
		return "a name begins with \"$.\""
	case len(name) == 2:
		return "no word after \"$.\""
	}
	last := byte('.')
	for i := 2; i < len(name); i++ {
		switch c := name[i]; {
		case c == '.' && last == '.':
			return fmt.Sprintf("an empty word at byte %d", i)
		case (c == '*' || c == '%') && (last != '.' || i < len(name)-1):
			return fmt.Sprintf("'%c' at byte %d: a wildcard is the whole last word", c, i)
		case c == '*' || c == '%':
			if !binding {
				return fmt.Sprintf("'%c' at byte %d: a wildcard is for binding only", c, i)
			}
			return ""
		case isJoiner(c) && original:
			return fmt.Sprintf("'%c' at byte %d: an original Ksock's names have letters and digits only", c, i)
		case c != '.' && !isAlphanumeric(c) && !isJoiner(c):
			allowed := "words have letters, digits, _ and -"
			if original {
				allowed = "an original Ksock's names have letters and digits only"
			}
			r, _ := utf8.DecodeRuneInString(string(name[i:]))
			if r == utf8.RuneError {
				return fmt.Sprintf("byte %#02x at byte %d: %s", c, i, allowed)
			}
			return fmt.Sprintf("%q at byte %d: %s", r, i, allowed)
		default:
			last = c
		}
	}
	if last == '.' {
		return fmt.Sprintf("an empty word at byte %d", len(name))
	}
	return ""
}
