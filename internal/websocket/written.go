package websocket

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"kbus.example/kbus/internal/rules"
)

// A file of doors as it is written. The decoder finds what is no TOML; what stands there of a wrong kind is found here, with its
// line and in the words of the file, and hides nothing else.

var doorKeys = []string{"origin", "token-file", "bus", "send", "listen", "request", "reply", "connections"}

// mistakes are all that is wrong.
type mistakes []mistake

type mistake struct {
	position rules.Position
	text     string
}

func (m *mistakes) add(at rules.Position, format string, args ...any) {
	*m = append(*m, mistake{at, fmt.Sprintf(format, args...)})
}

// asError has them in the order of their lines; nil if there are none.
func (m mistakes) asError() error {
	if len(m) == 0 {
		return nil
	}
	sort.SliceStable(m, func(i, j int) bool { return m[i].position.Line < m[j].position.Line })
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = fmt.Sprintf("%v: %s", one.position, one.text)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// written is one door.
type written struct {
	values map[string]any
	lines  map[string]rules.Position // of its keys, and of its head, ""
	bad    map[string]bool           // keys with values of a wrong kind
	spoilt bool                      // there is a value of a wrong kind, or an unknown key: what seems to be missing may be that
}

// read finds the doors of a file. The error is that it is no TOML.
func read(path string, text []byte) (list []written, wrong mistakes, err error) {
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			row, _ := bad.Position()
			return nil, nil, fmt.Errorf("%s:%d: %w", path, row, err)
		}
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	var p unstable.Parser
	p.Reset(text)
	table := "" // the one that the parser is in
	for p.NextExpression() {
		e := p.Expression()
		key, words, at := e.Key(), []string(nil), rules.Position{File: path}
		for key.Next() {
			if words == nil {
				at.Line = 1 + bytes.Count(text[:key.Node().Raw.Offset], []byte{'\n'})
			}
			words = append(words, string(key.Node().Data))
		}
		name := strings.Join(words, ".")
		switch {
		case len(words) == 0:
		case e.Kind == unstable.ArrayTable && name == "door":
			table = name
			list = append(list, written{lines: map[string]rules.Position{"": at}, bad: map[string]bool{}})
		case e.Kind == unstable.ArrayTable, e.Kind == unstable.Table:
			if table = "?"; name == "door" {
				wrong.add(at, "doors are tables [[door]], not [door]")
			} else {
				wrong.add(at, "unknown table %q; known is [[door]]", name)
			}
		case table == "":
			wrong.add(at, "unknown key %q; known are tables [[door]]", name)
		case table == "door":
			door := &list[len(list)-1]
			if door.lines[name] = at; !slices.Contains(doorKeys, name) {
				door.spoilt = true
				wrong.add(at, "unknown key %q; known are %s", name, strings.Join(doorKeys, ", "))
			}
		}
	}
	if tables, is := values["door"].([]any); is && len(tables) == len(list) {
		for i, one := range tables {
			list[i].values, _ = one.(map[string]any)
		}
	}
	return list, wrong, nil
}

// at is where a key stands; if it is not there, where its door begins.
func (w *written) at(key string) rules.Position {
	if at, is := w.lines[key]; is {
		return at
	}
	return w.lines[""]
}

// complain adds that something is wrong with a key, if nothing is known yet that may be the reason.
func (w *written) complain(wrong *mistakes, key, format string, args ...any) {
	if _, is := w.lines[key]; !is && w.spoilt {
		return
	}
	if !w.bad[key] {
		wrong.add(w.at(key), key+": "+format, args...)
	}
}

// takes adds that a value is of a wrong kind.
func (w *written) takes(wrong *mistakes, key, what string) {
	w.spoilt, w.bad[key] = true, true
	wrong.add(w.at(key), "%s takes %s", key, what)
}

// text is a string, "" if it is not there.
func (w *written) text(key string, wrong *mistakes) string {
	text, is := w.values[key].(string)
	if !is && w.values[key] != nil {
		w.takes(wrong, key, "a string")
	}
	return text
}

// number is a whole number, 0 if it is not there.
func (w *written) number(key string, wrong *mistakes) int64 {
	n, is := w.values[key].(int64)
	if !is && w.values[key] != nil {
		w.takes(wrong, key, "a number")
	}
	return n
}

// texts is a list of strings, nil if it is not there.
func (w *written) texts(key string, wrong *mistakes) (list []string) {
	values, good := w.values[key].([]any)
	for _, v := range values {
		text, is := v.(string)
		list, good = append(list, text), good && is
	}
	if !good && w.values[key] != nil {
		w.takes(wrong, key, `a list of names, such as ["$.Panel.*"]`)
		return nil
	}
	return list
}

// numbers is a list of the numbers of buses, nil if it is not there.
func (w *written) numbers(key string, wrong *mistakes) (list []uint32) {
	values, good := w.values[key].([]any)
	for _, v := range values {
		n, is := v.(int64)
		list, good = append(list, uint32(n)), good && is && n >= 0 && n <= math.MaxUint32
	}
	if !good && w.values[key] != nil {
		w.takes(wrong, key, "a list of numbers, such as [0]")
		return nil
	}
	return list
}
