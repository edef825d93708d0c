package settings

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// The file is read from the parser's syntax tree and not into a struct, because only the tree knows the line of every
// key. What the tree does not check is checked here: that nothing is set twice.
//
// The parser stops at the first line that is no TOML. Such a line is blanked, and the text is parsed again, so that one
// mistake does not hide the others; what stands below a table's broken header is left alone.

// Load reads a file into s. The error is Errors, each beginning with file and line, or that of reading the file.
func (s *Settings) Load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return s.Parse(path, data)
}

// Parse reads the text of a file called name into s: as Load. It does not Check, since flags may still come.
func (s *Settings) Parse(name string, data []byte) error {
	f := file{name: name, to: s, tables: map[string]int{}, keys: map[string]int{}}
	f.parser.Reset(f.blanked(data))
	for f.parser.NextExpression() {
		f.expression(f.parser.Expression())
	}
	f.endTable()
	sort.SliceStable(f.mistakes, func(i, j int) bool { return f.mistakes[i].line < f.mistakes[j].line })
	var errs Errors
	for _, m := range f.mistakes {
		errs.add("%s:%d: %s", name, m.line, m.text)
	}
	return errs.orNil()
}

// blanked is the text without the lines that are no TOML, of which it complains.
func (f *file) blanked(data []byte) []byte {
	data = slices.Clone(data)
	for range mostBroken {
		f.parser.Reset(data)
		for f.parser.NextExpression() {
		}
		err := f.parser.Error()
		if err == nil {
			break
		}
		line := f.lineOfError(err)
		text := lineOf(data, line)
		blank := len(bytes.TrimSpace(text)) == 0
		if !blank || len(f.mistakes) == 0 {
			f.complain(line, "%v", err)
		}
		if blank {
			return nil // what is wrong is not in it, so what else would be found means nothing
		}
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte{'['}) {
			f.broken = append(f.broken, line)
		}
		for i := range text {
			text[i] = ' '
		}
	}
	return data
}

// mostBroken bounds the work with what is no settings file at all.
const mostBroken = 100

// lineOf is a line of the text, counted from 1, without its end.
func lineOf(data []byte, line int) []byte {
	for ; line > 1; line-- {
		_, data, _ = bytes.Cut(data, []byte{'\n'})
	}
	text, _, _ := bytes.Cut(data, []byte{'\n'})
	return text
}

type file struct {
	name   string
	to     *Settings
	parser unstable.Parser

	mistakes []mistake
	broken   []int // lines of headers that are no TOML

	table  string // the prefix of keys: "" or "limits."
	begun  int    // line of its header
	empty  int    // line of an unknown table's header, until a key has told what was meant
	skip   bool   // in a table that was refused already
	tables map[string]int
	keys   map[string]int // key or table -> line where it stands
}

type mistake struct {
	line int
	text string
}

func (f *file) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.Table:
		f.header(e)
	case unstable.ArrayTable:
		key, line := f.dotted(e.Key())
		f.complain(line, "[[%s]]: there are no lists of tables here", key)
		f.endTable()
		f.table, f.begun, f.skip = "", line, true
	case unstable.KeyValue:
		if !f.skip {
			f.keyValue(f.table, e)
		}
	}
}

func (f *file) header(e *unstable.Node) {
	f.endTable()
	name, line := f.dotted(e.Key())
	f.table, f.begun, f.skip = name+".", line, false
	if before, again := f.tables[name]; again {
		f.complain(line, "[%s] stands on line %d already", name, before)
	} else if !slices.Contains(tableNames(), name) {
		f.empty = line
	}
	f.tables[name] = line
}

// endTable complains of an unknown table in which no key was complained of.
func (f *file) endTable() {
	if f.empty != 0 {
		name := strings.TrimSuffix(f.table, ".")
		f.complain(f.empty, "unknown table %q%s", name, didYouMean(name, tableNames()))
		f.empty = 0
	}
}

func (f *file) keyValue(prefix string, e *unstable.Node) {
	key, line := f.dotted(e.Key())
	key, f.empty = prefix+key, 0
	if f.isLost(line) {
		return
	}
	v := e.Value()
	if v.Kind == unstable.InlineTable {
		for inner := range each(v.Children()) {
			f.keyValue(key+".", inner)
		}
		return
	}
	setting := find(key)
	if setting == nil {
		f.complain(line, "unknown key %q%s", key, didYouMean(key, Keys()))
		return
	}
	if before, again := f.keys[key]; again {
		f.complain(line, "%s is set on line %d already", key, before)
		return
	}
	f.keys[key] = line
	if err := setting.apply(f.to, valueOf(v)); err != nil {
		f.to.bad[key] = true
		f.complain(line, "%s: %v", key, err)
		return
	}
	f.to.from[key] = fmt.Sprintf("%s:%d", f.name, line)
}

func (f *file) complain(line int, format string, args ...any) {
	f.mistakes = append(f.mistakes, mistake{line, fmt.Sprintf(format, args...)})
}

// isLost reports whether a line belongs to a table whose header is broken.
func (f *file) isLost(line int) bool {
	return slices.ContainsFunc(f.broken, func(header int) bool { return f.begun < header && header < line })
}

// dotted joins the words of a key and tells its line.
func (f *file) dotted(it unstable.Iterator) (key string, line int) {
	var words []string
	for part := range each(it) {
		if line == 0 {
			line = f.lineAt(int(part.Raw.Offset))
		}
		words = append(words, string(part.Data))
	}
	return strings.Join(words, "."), line
}

func (f *file) lineAt(offset int) int {
	data := f.parser.Data()
	return 1 + bytes.Count(data[:min(offset, len(data))], []byte{'\n'})
}

func (f *file) lineOfError(err error) int {
	var parse *unstable.ParserError
	if !errors.As(err, &parse) || len(parse.Highlight) == 0 {
		return f.lineAt(len(f.parser.Data()))
	}
	return f.lineAt(int(f.parser.Range(parse.Highlight).Offset))
}

func valueOf(n *unstable.Node) value {
	switch n.Kind {
	case unstable.String:
		return value{stringKind, string(n.Data)}
	case unstable.Integer:
		return value{integerKind, string(n.Data)}
	case unstable.Bool:
		return value{truthKind, string(n.Data)}
	}
	return value{otherKind, ""}
}

// each makes a range of an iterator.
func each(it unstable.Iterator) func(yield func(*unstable.Node) bool) {
	return func(yield func(*unstable.Node) bool) {
		for it.Next() && yield(it.Node()) {
		}
	}
}

// tableNames are what stands before the dot of a key.
func tableNames() []string {
	var names []string
	for _, key := range Keys() {
		if name, _, dotted := strings.Cut(key, "."); dotted && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
