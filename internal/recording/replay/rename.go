package replay

import (
	"fmt"
	"strings"

	"kbus.example/kbus/message"
)

// Names may be others in a replay, so that it does not reach those whom it should not.

// Rename is a name that becomes another. Both may end in ".*": then it is all names that begin so.
type Rename struct{ old, new string }

// ParseRename reads OLD=NEW.
func ParseRename(text string) (Rename, error) {
	from, to, both := strings.Cut(text, "=")
	switch {
	case !both:
		return Rename{}, fmt.Errorf("%q: OLD=NEW is needed", text)
	case strings.HasSuffix(from, ".*") != strings.HasSuffix(to, ".*"):
		return Rename{}, fmt.Errorf("%q: both names end in .*, or neither", text)
	}
	for _, name := range []string{from, to} {
		if message.CheckBinding(name) != message.OK || strings.HasSuffix(name, "%") {
			return Rename{}, fmt.Errorf("%q: %q is no name", text, name)
		}
	}
	return Rename{strings.TrimSuffix(from, "*"), strings.TrimSuffix(to, "*")}, nil
}

// rename gives the new name; the first that fits counts.
func rename(list []Rename, name string) string {
	for _, r := range list {
		if rest, fits := strings.CutPrefix(name, r.old); fits && (rest == "" || strings.HasSuffix(r.old, ".")) {
			return r.new + rest
		}
	}
	return name
}
