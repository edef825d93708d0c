package settings

import (
	"flag"
	"strings"
)

// Some settings have a flag: the key with a dash for its dot. A flag wins over the file, at a reload too.
var flagged = []string{"dir", "buses", "socket.mode", "socket.group", "rings", "limpets", "log.level", "log.format", "drain"}

// Flags collects settings given on the command line, to be applied after the file.
type Flags struct{ given []func(*Settings) }

// Register makes the flags known to a flag set. A bad value is an error of parsing the command line.
func (f *Flags) Register(set *flag.FlagSet) {
	for _, key := range flagged {
		row, name := find(key), strings.ReplaceAll(key, ".", "-")
		set.Func(name, row.doc, func(text string) error {
			v := value{flagKind, text}
			if err := row.apply(Default(), v); err != nil {
				return err
			}
			f.given = append(f.given, func(s *Settings) {
				_ = row.apply(s, v) // it was tried above
				s.from[key] = "--" + name
			})
			return nil
		})
	}
}

// Apply puts the flags over what s holds.
func (f *Flags) Apply(s *Settings) {
	for _, set := range f.given {
		set(s)
	}
}

// FlagNames lists the flags of settings, with what they mean.
func FlagNames() (names, docs []string) {
	for _, key := range flagged {
		names = append(names, strings.ReplaceAll(key, ".", "-"))
		docs = append(docs, find(key).doc)
	}
	return names, docs
}
