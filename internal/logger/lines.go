package logger

import (
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"kbus.example/kbus/internal/jsontext"
)

// Lines is a Handler that writes them: time=... level=INFO msg="buses are open" buses=1, or the same as an object of JSON. Each line is
// one Write.
type Lines struct {
	to    *shared
	level Leveler
	json  bool
	with  []Attr
}

// shared is what all that stem from one have in common.
type shared struct {
	sync.Mutex
	out io.Writer
	buf []byte
}

// NewText writes lines of text, from that level on.
func NewText(w io.Writer, level Leveler) *Lines { return &Lines{to: &shared{out: w}, level: level} }

// NewJSON writes lines of JSON, from that level on.
func NewJSON(w io.Writer, level Leveler) *Lines {
	l := NewText(w, level)
	l.json = true
	return l
}

// Enabled is for Handler.
func (l *Lines) Enabled(level Level) bool { return level >= l.level.Level() }

// With is for Handler.
func (l *Lines) With(attrs []Attr) Handler {
	next := *l
	next.with = slices.Concat(l.with, attrs)
	return &next
}

// Handle is for Handler.
func (l *Lines) Handle(r Record) error {
	l.to.Lock()
	defer l.to.Unlock()
	l.to.buf = l.append(l.to.buf[:0], &r)
	_, err := l.to.out.Write(l.to.buf)
	return err
}

func (l *Lines) append(b []byte, r *Record) []byte {
	form := "2006-01-02T15:04:05.000Z07:00"
	if l.json {
		form = time.RFC3339Nano
		b = append(b, '{')
	}
	b = l.attr(b, "time", r.Time.Format(form))
	b = l.attr(b, "level", r.Level.String())
	b = l.attr(b, "msg", r.Message)
	for _, list := range [...][]Attr{l.with, r.Attrs} {
		for _, a := range list {
			b = l.attr(b, a.Key, a.Value)
		}
	}
	if l.json {
		b[len(b)-1] = '}' // the last comma
		return append(b, '\n')
	}
	b[len(b)-1] = '\n'
	return b
}

func (l *Lines) attr(b []byte, key string, value any) []byte {
	if !l.json {
		b = append(appendWord(b, key), '=')
		return append(appendWord(b, text(value)), ' ')
	}
	b = append(jsontext.AppendString(b, key), ':')
	switch v := value.(type) {
	case int:
		b = strconv.AppendInt(b, int64(v), 10)
	case int64:
		b = strconv.AppendInt(b, v, 10)
	case uint32:
		b = strconv.AppendUint(b, uint64(v), 10)
	case time.Duration: // in nanoseconds
		b = strconv.AppendInt(b, int64(v), 10)
	case []int:
		b = append(b, '[')
		for i, n := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
		b = append(b, ']')
	case bool:
		b = strconv.AppendBool(b, v)
	default:
		b = jsontext.AppendString(b, text(v))
	}
	return append(b, ',')
}

// appendWord quotes what could be taken for something else.
func appendWord(b []byte, s string) []byte {
	if s == "" {
		return append(b, `""`...)
	}
	for _, r := range s {
		if r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r) {
			return strconv.AppendQuote(b, s)
		}
	}
	return append(b, s...)
}
