// Package folder reads access rules (package rules) from a directory of TOML files. The files are read in the order of their
// names, and together they are one list of rules. All mistakes in all files are found at once, each with file, line and
// column, and with any mistake there are no rules at all: rules are taken whole.
//
// The files: parse.go finds rules in the entries of a file, values.go judges what stands in a rule, and names.go finds the
// numbers of users and groups. The reading of files is package toml's.
package folder

import (
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/toml"
)

const mostRules = 10_000

// File is the text of one file.
type File = toml.File

// Mistakes is all that is wrong, in order.
type Mistakes = toml.Mistakes

// Load reads the rules in a directory. The error is Mistakes, or that of reading it, which is fs.ErrNotExist when there is no
// such directory.
func Load(dir string, who Names) (*rules.Set, error) {
	files, err := toml.Read(dir)
	if err != nil {
		return nil, err
	}
	return Parse(files, who)
}
