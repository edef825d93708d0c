// Package card is what a Replier says of its name: a few words, the form of the data, and a schema of it. A card is JSON:
//
//	{"description": "locks the door", "contentType": "application/json", "schema": {"type": "boolean"}}
//
// All keys may be left out. The schema is any JSON, or a string for schemas of other kinds. Reading is strict: what is not known, or
// of another type, is a mistake with its line and column.
package card

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"kbus.example/kbus/internal/jsontext"
)

// Card is one; Schema is JSON, or nil.
type Card struct {
	Description string
	ContentType string
	Schema      []byte
}

// Mistake is what is wrong with a text that should be a card, and where: from 1 on, columns in characters.
type Mistake struct {
	Line, Column int
	Text         string
}

// Error is line:column: text.
func (m *Mistake) Error() string { return fmt.Sprintf("%d:%d: %s", m.Line, m.Column, m.Text) }

// Mistakes is all that is wrong, in the order of the text; errors.As finds the first.
type Mistakes []*Mistake

// Error has a line for each.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each.
func (m Mistakes) Unwrap() []error {
	list := make([]error, len(m))
	for i := range m {
		list[i] = m[i]
	}
	return list
}

// mostMistakes bounds what is said of a text that was never meant to be a card.
const mostMistakes = 20

// mostContentTypeBytes is what a content type may have.
const mostContentTypeBytes = 255

// JSON is the card as it is kept, nil if there is nothing in it.
func (c *Card) JSON() []byte {
	if c.Description == "" && c.ContentType == "" && len(c.Schema) == 0 {
		return nil
	}
	b := []byte{'{'}
	for _, part := range [...]struct{ key, text string }{{"description", c.Description}, {"contentType", c.ContentType}} {
		if part.text != "" {
			b = append(jsontext.AppendString(b, part.key), ':')
			b = append(jsontext.AppendString(b, part.text), ',')
		}
	}
	if len(c.Schema) > 0 {
		if !valid(c.Schema) {
			panic("card: a schema that is no JSON")
		}
		b = append(append(jsontext.AppendString(b, "schema"), ':'), compact(c.Schema)...)
		b = append(b, ',')
	}
	b[len(b)-1] = '}'
	return b
}

// Parse reads a card. The error is Mistakes: one if the text is no JSON, else all.
func Parse(text []byte) (*Card, error) {
	p := parsing{text: text}
	s := scanner{text: text}
	if !utf8.Valid(text) {
		p.wrong(invalidAt(text), "not UTF-8")
	} else if s.whole(); s.err != "" {
		p.wrong(s.at, s.err)
	} else {
		p.card()
	}
	if len(p.mistakes) > 0 {
		return nil, p.mistakes
	}
	return &p.made, nil
}

type parsing struct {
	text     []byte
	made     Card
	mistakes Mistakes
}

// card reads a card from what is JSON.
func (p *parsing) card() {
	s := scanner{text: p.text}
	if s.next() != '{' {
		p.wrong(0, "a card is an object: {\"description\": ...}")
		return
	}
	seen := map[string]bool{}
	s.object(func(from, to int) {
		key, at := unquoted(p.text[from:to]), s.at
		s.value()
		switch {
		case len(p.mistakes) >= mostMistakes:
		case seen[key]:
			p.wrong(from, fmt.Sprintf("%q is there twice", key))
		default:
			p.put(key, p.text[at:s.at], from, at)
		}
		seen[key] = true
	})
}

// put adds one value to the card.
func (p *parsing) put(key string, value []byte, atKey, atValue int) {
	var text *string
	switch key {
	case "description":
		text = &p.made.Description
	case "contentType":
		text = &p.made.ContentType
	case "schema":
		if p.made.Schema = compact(value); string(p.made.Schema) == "null" {
			p.made.Schema = nil
		}
		return
	default:
		p.unknown(key, atKey)
		return
	}
	if value[0] != '"' {
		p.wrong(atValue, key+" takes a string")
		return
	}
	if *text = unquoted(value); key == "contentType" && (len(*text) > mostContentTypeBytes || strings.ContainsAny(*text, "\r\n\x00")) {
		p.wrong(atValue, fmt.Sprintf("contentType: one line of at most %d bytes, for instance \"application/json\"", mostContentTypeBytes))
	}
}

func (p *parsing) unknown(key string, at int) {
	for _, known := range []string{"description", "contentType", "schema"} {
		if strings.EqualFold(key, known) {
			p.wrong(at, fmt.Sprintf("unknown key %q; did you mean %q? Small and large letters are not the same here", key, known))
			return
		}
	}
	p.wrong(at, fmt.Sprintf("unknown key %q; known is description, contentType, schema", key))
}

// wrong notes a mistake at a place of the text.
func (p *parsing) wrong(offset int, text string) {
	before := p.text[:min(max(offset, 0), len(p.text))]
	line := bytes.LastIndexByte(before, '\n') + 1
	p.mistakes = append(p.mistakes, &Mistake{1 + bytes.Count(before, []byte{'\n'}), 1 + utf8.RuneCount(before[line:]), text})
}

func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}
