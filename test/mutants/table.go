package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"strings"
)

// mutant is one way to break the code. In the table each begins with a line that says what is wrong, and has these lines:
//
//	# what is wrong with it
//	file internal/bus/next.go
//	test ./internal/bus/...
//	- a line as it is, without its indentation
//	+ the line instead; may be left out
//	survives: why no test can notice
//
// A `-` line must be there just once in the file; several - lines stand for as many lines one after the other. `file` and
// `test` hold for those that follow, until there are others. Several `test` lines are tried one after the other.
type mutant struct {
	about     string
	line      int // of the table
	file      string
	tests     []string
	old, new  []string
	explained string
}

func (m mutant) String() string { return fmt.Sprintf("line %d, %s", m.line, m.about) }
func (m mutant) place() string  { return strings.TrimPrefix(m.file, "internal/") }

// read reads the table.
func read(path string) (all []mutant, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file string
	var tests []string
	fresh := false // the tests listed belong to those before
	for i, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		var m *mutant
		if len(all) > 0 {
			m = &all[len(all)-1]
		}
		switch {
		case line == "" || word == "//":
		case word == "#":
			all = append(all, mutant{about: rest, line: i + 1, file: file, tests: tests})
			fresh = true
		case word == "file":
			file = rest
		case word == "test":
			if fresh {
				tests, fresh = nil, false
			}
			tests = append(tests[:len(tests):len(tests)], rest)
		case m == nil:
			return nil, fmt.Errorf("%s:%d: %q before the first mutant", path, i+1, line)
		case word == "-":
			m.old = append(m.old, rest)
		case word == "+":
			m.new = append(m.new, rest)
		case word == "survives:":
			m.explained = rest
		default:
			return nil, fmt.Errorf("%s:%d: not a line of this table: %q", path, i+1, line)
		}
	}
	return all, nil
}

// broken is the text of the file with the mutation.
func (m mutant) broken() (string, error) {
	if m.file == "" || len(m.old) == 0 || len(m.tests) == 0 {
		return "", fmt.Errorf("%s: file, test or - is missing", m)
	}
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m, err)
	}
	lines := strings.Split(string(text), "\n")
	at := -1
	for i := range lines[:max(0, len(lines)-len(m.old)+1)] {
		if !m.stands(lines[i:]) {
			continue
		}
		if at >= 0 {
			return "", fmt.Errorf("%s: %q stands in %s twice, lines %d and %d", m, m.old, m.file, at+1, i+1)
		}
		at = i
	}
	if at < 0 {
		return "", fmt.Errorf("%s: %q does not stand in %s", m, m.old, m.file)
	}
	changed := append(append(append([]string(nil), lines[:at]...), m.new...), lines[at+len(m.old):]...)
	broken := strings.Join(changed, "\n")
	if _, err := parser.ParseFile(token.NewFileSet(), m.file, broken, parser.SkipObjectResolution); err != nil {
		return "", fmt.Errorf("%s: it is no Go any more: %w", m, err)
	}
	return broken, nil
}

func (m mutant) stands(lines []string) bool {
	for i, old := range m.old {
		if strings.TrimSpace(lines[i]) != old {
			return false
		}
	}
	return true
}
