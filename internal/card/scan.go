package card

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// As much of JSON (RFC 8259) as a card needs: whether a text is JSON, where its parts lie, and strings. encoding/json would tell no
// places of parts, and be the largest package that the daemon links.

// scanner goes through a text. Once there is an error it stands where that is.
type scanner struct {
	text  []byte
	at    int
	depth int
	err   string // "": none
}

// mostDepth is how deep values may lie in each other.
const mostDepth = 1000

// endsEarly is the error of a text that ends before its value does.
const endsEarly = "the card ends too early"

// valid reports whether the text is one value of JSON.
func valid(text []byte) bool {
	s := scanner{text: text}
	s.whole()
	return s.err == ""
}

// whole goes through a text that is one value.
func (s *scanner) whole() {
	s.value()
	if s.space(); s.err == "" && s.at < len(s.text) {
		s.unexpected("after top-level value")
	}
}

// unexpected notes that what stands here should not.
func (s *scanner) unexpected(where string) {
	switch {
	case s.err != "":
	case s.at >= len(s.text):
		s.err = endsEarly
	default:
		r, _ := utf8.DecodeRune(s.text[s.at:])
		s.err = fmt.Sprintf("invalid character %q %s", r, where)
	}
}

func (s *scanner) space() {
	for s.err == "" && s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// next is the character that stands here, behind spaces; 0 at the end, and after an error.
func (s *scanner) next() byte {
	if s.space(); s.err != "" || s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// take goes over a character, which must be that.
func (s *scanner) take(c byte, where string) {
	if s.next() != c || s.err != "" {
		s.unexpected(where)
		return
	}
	s.at++
}

// value goes over a value.
func (s *scanner) value() {
	if s.depth++; s.depth > mostDepth && s.err == "" {
		s.err = fmt.Sprintf("more than %d values lie in each other", mostDepth)
	}
	defer func() { s.depth-- }()
	switch c := s.next(); {
	case c == '{':
		s.object(func(int, int) { s.value() })
	case c == '[':
		s.array()
	case c == '"':
		s.str()
	case c == '-' || '0' <= c && c <= '9':
		s.number()
	case c == 't':
		s.literal("true")
	case c == 'f':
		s.literal("false")
	case c == 'n':
		s.literal("null")
	default:
		s.unexpected("looking for beginning of value")
	}
}

// object goes over an object. value is called where each value begins, with where its key lies, and must go over that value.
func (s *scanner) object(value func(from, to int)) {
	s.take('{', "looking for beginning of object")
	if s.next() == '}' {
		s.at++
		return
	}
	for s.err == "" {
		if s.next() != '"' {
			s.unexpected("looking for beginning of object key string")
			return
		}
		from := s.at
		s.str()
		to := s.at
		s.take(':', "after object key")
		if s.space(); s.err == "" {
			value(from, to)
		}
		if s.next() == '}' {
			s.at++
			return
		}
		s.take(',', "after object key:value pair")
	}
}

func (s *scanner) array() {
	s.take('[', "looking for beginning of array")
	if s.next() == ']' {
		s.at++
		return
	}
	for s.err == "" {
		s.value()
		if s.next() == ']' {
			s.at++
			return
		}
		s.take(',', "after array element")
	}
}

func (s *scanner) literal(word string) {
	for i := range len(word) {
		if s.at >= len(s.text) || s.text[s.at] != word[i] {
			s.unexpected("in literal " + word)
			return
		}
		s.at++
	}
}

func (s *scanner) number() {
	if s.text[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.text) && s.text[s.at] == '0' {
		s.at++
	} else {
		s.digits()
	}
	if s.err == "" && s.at < len(s.text) && s.text[s.at] == '.' {
		s.at++
		s.digits()
	}
	if s.err == "" && s.at < len(s.text) && s.text[s.at]|0x20 == 'e' {
		if s.at++; s.at < len(s.text) && (s.text[s.at] == '+' || s.text[s.at] == '-') {
			s.at++
		}
		s.digits()
	}
}

// digits goes over one or more.
func (s *scanner) digits() {
	from := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	if s.at == from {
		s.unexpected("in numeric literal")
	}
}

// str goes over a string.
func (s *scanner) str() {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return
		case c < ' ':
			s.unexpected("in string literal")
			return
		case c == '\\':
			if s.escape(); s.err != "" {
				return
			}
		}
	}
	s.unexpected("")
}

// escape goes to the last character of an escape.
func (s *scanner) escape() {
	if s.at++; s.at >= len(s.text) || bytes.IndexByte([]byte(`"\/bfnrtu`), s.text[s.at]) < 0 {
		s.unexpected("in string escape code")
		return
	}
	if s.text[s.at] != 'u' {
		return
	}
	for range 4 {
		if s.at++; s.at >= len(s.text) || digit(s.text[s.at]) < 0 {
			s.unexpected(`in \u hexadecimal character escape`)
			return
		}
	}
}

// digit is what a hexadecimal digit is worth; -1 if it is none.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}

// unquoted is what a string of JSON says. Half of a character becomes U+FFFD.
func unquoted(s []byte) string {
	s = s[1 : len(s)-1]
	b := make([]byte, 0, len(s))
	for len(s) > 0 {
		if plain := bytes.IndexByte(s, '\\'); plain != 0 {
			if plain < 0 {
				plain = len(s)
			}
			b, s = append(b, s[:plain]...), s[plain:]
			continue
		}
		if s[1] != 'u' {
			b, s = append(b, short[s[1]]), s[2:]
			continue
		}
		r := unit(s)
		s = s[6:]
		if utf16.IsSurrogate(r) {
			pair := utf8.RuneError
			if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
				pair = utf16.DecodeRune(r, unit(s))
			}
			if r = pair; pair != utf8.RuneError {
				s = s[6:]
			}
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// short is what escapes of one letter say.
var short = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unit is the number in an escape \uXXXX.
func unit(s []byte) (r rune) {
	for _, c := range s[2:6] {
		r = r<<4 | digit(c)
	}
	return r
}

// compact is a value without the spaces between its parts.
func compact(value []byte) (b []byte) {
	inString := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case inString && c == '\\':
			b = append(b, c)
			i++
			c = value[i]
		case c == '"':
			inString = !inString
		case !inString && isSpace(c):
			continue
		}
		b = append(b, c)
	}
	return b
}
