package main

import (
	"errors"
	"fmt"
	"strings"
)

// args reads a command line as package flag does, one dash or two, with = or without. That package would link much that writes
// help, which kbusd writes itself.
type args map[string]argument

type argument struct {
	bare bool // it may stand without a value
	take func(text string) error
}

// errHelp is for who asks for help.
var errHelp = errors.New("help requested")

// Func has a flag known that takes a value.
func (a args) Func(name, _ string, take func(string) error) { a[name] = argument{false, take} }

// BoolFunc has one known that stands for itself.
func (a args) BoolFunc(name, _ string, take func(string) error) { a[name] = argument{true, take} }

// parse reads all.
func (a args) parse(line []string) error {
	for i := 0; i < len(line); i++ {
		name, is := strings.CutPrefix(line[i], "-")
		if !is || name == "" {
			return fmt.Errorf("unexpected argument %q", line[i])
		}
		if name = strings.TrimPrefix(name, "-"); name == "" { // no flags follow
			if i+1 == len(line) {
				return nil
			}
			return fmt.Errorf("unexpected argument %q", line[i+1])
		}
		name, text, given := strings.Cut(name, "=")
		known, ok := a[name]
		switch {
		case !ok && (name == "help" || name == "h"):
			return errHelp
		case !ok:
			return fmt.Errorf("flag provided but not defined: --%s", name)
		case !given && known.bare:
			text = "true"
		case !given && i+1 == len(line):
			return fmt.Errorf("flag needs an argument: --%s", name)
		case !given:
			i++
			text = line[i]
		}
		if err := known.take(text); err != nil {
			return fmt.Errorf("invalid value %q for flag --%s: %w", text, name, err)
		}
	}
	return nil
}
