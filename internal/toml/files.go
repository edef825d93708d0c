// Package toml reads files of ours that say who may do what, or what is to be started: strictly, and from a directory. A
// struct would take `Deny` for `deny`, and let the second of the two win without a word; so what is written comes out entry
// by entry, each with its place, and whoever knows what may stand there judges it. All mistakes in all files are found at once.
package toml

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// What is read is bounded: the daemon reads it while its buses run.
const (
	mostFiles     = 1000
	mostFileBytes = 1 << 20
	mostUnread    = 100
)

// suffix is what the name of a file ends in that is read.
const suffix = ".toml"

// File is the text of one file, or why it cannot be read. That is a mistake like others, for Parse to tell: so it hides none.
type File struct {
	Name       string
	Text       []byte
	Unreadable error
}

// Position is a place in a file, lines and columns counted from 1.
type Position struct {
	File         string
	Line, Column int
}

// String is file:line:column.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Mistake is one thing that is wrong in a file.
type Mistake struct {
	Position Position
	Text     string
}

// String is file:line:column: text.
func (m Mistake) String() string { return m.Position.String() + ": " + m.Text }

// Mistakes is all that is wrong, in order.
type Mistakes []Mistake

// Error has a line for each.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].String()
	}
	return strings.Join(lines, "\n")
}

// Lines is Error, line by line.
func (m Mistakes) Lines() []string { return strings.Split(m.Error(), "\n") }

// Add adds one.
func (m *Mistakes) Add(at Position, format string, args ...any) {
	*m = append(*m, Mistake{at, fmt.Sprintf(format, args...)})
}

// Sort puts the mistakes of one file in the order of their places.
func (m Mistakes) Sort() {
	sort.SliceStable(m, func(i, j int) bool {
		a, b := m[i].Position, m[j].Position
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
}

// Read reads the files of a directory whose names end in .toml and do not begin with a dot, in the order of their names; or
// one file. The error is fs.ErrNotExist when there is no such directory.
func Read(path string) (files []File, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	names := []string{path}
	if info.IsDir() {
		if names, err = namesIn(path); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		text, err := readFile(name)
		files = append(files, File{name, text, err})
	}
	return files, nil
}

func namesIn(dir string) ([]string, error) {
	names, err := filesIn(dir, func(name string) bool { return strings.HasSuffix(name, suffix) })
	if len(names) > mostFiles {
		return nil, fmt.Errorf("%s: %d files, %d are the most", dir, len(names), mostFiles)
	}
	return names, err
}

// filesIn are the files of a directory that do not begin with a dot and that are wanted, in the order of their names.
func filesIn(dir string, wanted func(name string) bool) (names []string, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") && !e.IsDir() && wanted(name) {
			names = append(names, filepath.Join(dir, name))
		}
	}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] }) // not os.ReadDir, which links another way to sort
	return names, nil
}

// Why says of a file that is Unread why.
const Why = "not read, for its name does not end in " + suffix

// Unread are the files of a directory that Read passes over because of their names, in order: somebody has perhaps meant them.
// Hidden files, and those that editors leave behind (name~), nobody means. None, if there is no such directory.
func Unread(dir string) []string {
	names, err := filesIn(dir, func(name string) bool { return !strings.HasSuffix(name, suffix) && !strings.HasSuffix(name, "~") })
	if err != nil {
		return nil
	}
	return names[:min(len(names), mostUnread)]
}

// readFile reads one file. It does not wait for the writer of a pipe, which has that name by mistake: a daemon reads, too.
func readFile(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	text, err := io.ReadAll(io.LimitReader(f, mostFileBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > mostFileBytes:
		return nil, fmt.Errorf("longer than %d bytes", mostFileBytes)
	}
	return text, nil
}
