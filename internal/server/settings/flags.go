package settings

import "fmt"

// Some settings have a flag: the key with a dash for its dot, or a name of its own. A flag wins over the file, at a
// reload too. One that is bare may stand without a value, and then is "true".
var flagged = []struct {
	key, name string
	bare      bool
}{
	{"dir", "dir", false}, {"buses", "buses", false},
	{"socket.mode", "socket-mode", false}, {"socket.group", "socket-group", false},
	{"device.kind", "device", true}, {"device.link", "device-link", false}, {"device.mode", "device-mode", false},
	{"device.group", "device-group", false}, {"device.stat-as-device", "stat-as-device", true},
	{"rings", "rings", false}, {"shared-log", "shared-log", false}, {"limpets", "limpets", false},
	{"rules", "rules", false}, {"services", "services", false}, {"federated", "federated", true},
	{"log.level", "log-level", false}, {"log.format", "log-format", false}, {"drain", "drain", false},
}

// Flags collects settings given on the command line, to be applied after the file.
type Flags struct{ given []func(*Settings) error }

// FlagSet is what flags are made known to: a flag.FlagSet, or what kbusd has in its place.
type FlagSet interface {
	Func(name, doc string, take func(text string) error)
	BoolFunc(name, doc string, take func(text string) error) // without a value text is "true"
}

// Register makes the flags known to a flag set. A bad value is no error of parsing the command line, so that it hides no
// other mistake: Apply gives all of them.
func (f *Flags) Register(set FlagSet) {
	for _, known := range flagged {
		row, name, define := find(known.key), known.name, set.Func
		if known.bare {
			define = set.BoolFunc
		}
		define(name, row.doc, func(text string) error {
			f.given = append(f.given, func(s *Settings) error {
				s.from[row.key] = "--" + name
				err := row.apply(s, value{flagKind, text})
				s.bad[row.key] = err != nil
				if err != nil {
					err = fmt.Errorf("invalid value %q for flag --%s: %w", text, name, err)
				}
				return err
			})
			return nil
		})
	}
}

// Apply puts the flags over what s holds. It returns Errors, or nil.
func (f *Flags) Apply(s *Settings) error {
	var errs Errors
	for _, set := range f.given {
		if err := set(s); err != nil {
			errs.add("%v", err)
		}
	}
	return errs.orNil()
}

// FlagNames lists the flags of settings, with what they mean.
func FlagNames() (names, docs []string) {
	for _, known := range flagged {
		names = append(names, known.name)
		docs = append(docs, find(known.key).doc)
	}
	return names, docs
}
