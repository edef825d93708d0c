package toml

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Kind is what a Value is.
type Kind uint8

// The kinds of values.
const (
	Other  Kind = iota // what none of our files takes
	Text               // a string
	Number             // a whole number, as written
	Truth              // true or false
	List
)

// Value is what stands behind a key. Where it cannot be said where a value stands, it is where its key does.
type Value struct {
	Kind Kind
	Text string
	At   Position
	List []Value
}

// Entry is the header of a table, or a key with its value.
type Entry struct {
	Header bool
	Many   bool // the header of one of several tables: [[so]]
	Words  []string
	At     Position
	Value  Value // of a key
}

// Key is the words with dots between them.
func (e *Entry) Key() string { return strings.Join(e.Words, ".") }

// parsing is one file that is being read.
type parsing struct {
	file     string
	parser   unstable.Parser
	mistakes Mistakes
	broken   []int   // lines of headers that are no TOML
	last     counted // whose position was asked for last
}

// counted is an offset, with its line and the characters before it there. Positions are mostly asked for in the order of the text, so
// each is counted on from the one before: a file may have half a million values.
type counted struct{ offset, line, before int }

// Parse gives what stands in a file, in its order, and what of it is no TOML.
//
// The parser stops at the first line that is none. Such a line is blanked, and the text is parsed again, so that one
// mistake does not hide the others. What stands below a header that is none is left out.
func Parse(f File) (entries []Entry, mistakes Mistakes) {
	if f.Unreadable != nil {
		mistakes.Add(Position{File: f.Name, Line: 1, Column: 1}, "cannot be read: %v", withoutPath(f.Unreadable))
		return nil, mistakes
	}
	p := parsing{file: f.Name}
	p.read(p.blanked(f.Text))
	begun := 0 // line of the last header
	for p.parser.NextExpression() {
		e, ok := p.entry(p.parser.Expression())
		switch {
		case !ok:
			continue
		case e.Header:
			begun = e.At.Line
		case slices.ContainsFunc(p.broken, func(header int) bool { return begun < header && header < e.At.Line }):
			continue
		}
		entries = append(entries, e)
	}
	return entries, p.mistakes
}

// withoutPath is an error of a file whose name has been said.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// mostBroken bounds the work with what is no file of ours at all.
const mostBroken = 20

// blanked is the text without the lines that are no TOML, of which it complains.
func (p *parsing) blanked(text []byte) []byte {
	text = slices.Clone(text)
	for range mostBroken {
		p.read(text)
		for p.parser.NextExpression() {
		}
		err := p.parser.Error()
		if err == nil {
			return text
		}
		at := p.offsetOfError(err)
		begin := bytes.LastIndexByte(text[:at], '\n') + 1
		end := len(text)
		if n := bytes.IndexByte(text[begin:], '\n'); n >= 0 {
			end = begin + n
		}
		line := text[begin:end]
		if blank := len(bytes.TrimSpace(line)) == 0; blank {
			if len(p.mistakes) == 0 {
				p.mistakes.Add(p.positionAt(at), "%v", err)
			}
			return nil // what is wrong is not in it, so what else would be found means nothing
		}
		p.mistakes.Add(p.positionAt(at), "%v", err)
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte{'['}) {
			p.broken = append(p.broken, p.positionAt(at).Line)
		}
		for i := range line {
			line[i] = ' '
		}
	}
	return nil
}

func (p *parsing) offsetOfError(err error) int {
	text := p.parser.Data()
	var parse *unstable.ParserError
	if !errors.As(err, &parse) || len(parse.Highlight) == 0 {
		return len(text)
	}
	return min(int(p.parser.Range(parse.Highlight).Offset), len(text))
}

func (p *parsing) read(text []byte) {
	p.parser.Reset(text)
	p.last = counted{}
}

func (p *parsing) positionAt(offset int) Position {
	text, l := p.parser.Data(), &p.last
	if offset = min(offset, len(text)); offset < l.offset {
		*l = counted{}
	}
	part := text[l.offset:offset]
	if end := bytes.LastIndexByte(part, '\n'); end >= 0 {
		l.line += bytes.Count(part[:end+1], []byte{'\n'})
		part, l.before = part[end+1:], 0
	}
	l.before += utf8.RuneCount(part)
	l.offset = offset
	return Position{File: p.file, Line: 1 + l.line, Column: 1 + l.before}
}

func (p *parsing) entry(n *unstable.Node) (e Entry, ok bool) {
	switch n.Kind {
	case unstable.Table, unstable.ArrayTable, unstable.KeyValue:
	default:
		return e, false
	}
	var at int
	e.Words, at = dotted(n.Key())
	e.At = p.positionAt(at)
	e.Header, e.Many = n.Kind != unstable.KeyValue, n.Kind == unstable.ArrayTable
	if !e.Header {
		e.Value = p.value(n.Value(), e.At)
	}
	return e, true
}

var kinds = map[unstable.Kind]Kind{unstable.String: Text, unstable.Integer: Number, unstable.Bool: Truth, unstable.Array: List}

func (p *parsing) value(n *unstable.Node, key Position) Value {
	v := Value{Kind: kinds[n.Kind], Text: string(n.Data), At: key}
	if n.Raw.Length > 0 {
		v.At = p.positionAt(int(n.Raw.Offset))
	}
	if v.Kind == List {
		for part := range each(n.Children()) {
			if part.Kind != unstable.Comment {
				v.List = append(v.List, p.value(part, key))
			}
		}
	}
	return v
}

// dotted gives the words of a key, and where it begins.
func dotted(it unstable.Iterator) (words []string, at int) {
	at = -1
	for part := range each(it) {
		if at < 0 {
			at = int(part.Raw.Offset)
		}
		words = append(words, string(part.Data))
	}
	return words, max(at, 0)
}

// each makes a range of an iterator.
func each(it unstable.Iterator) func(yield func(*unstable.Node) bool) {
	return func(yield func(*unstable.Node) bool) {
		for it.Next() && yield(it.Node()) {
		}
	}
}

// DidYouMean is for a word that nobody knows: the known one that differs only in the case of letters, or all that are.
func DidYouMean(word string, known ...string) string {
	for _, k := range known {
		if strings.EqualFold(word, k) {
			return fmt.Sprintf("; did you mean %q? Small and large letters are not the same here", k)
		}
	}
	return "; known is " + strings.Join(known, ", ")
}
