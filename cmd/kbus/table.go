package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table writes rows, with tabs between their cells, under a heading, in columns. Where there are no rows it writes what
// that means instead. The columns are aligned before anything is painted, because colours have no width.
func (l *line) table(heading string, rows func(io.Writer), none string) error {
	var aligned bytes.Buffer
	w := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, heading)
	rows(w)
	if err := w.Flush(); err != nil {
		return err
	}
	top, rest, _ := strings.Cut(aligned.String(), "\n")
	if rest == "" {
		_, err := fmt.Fprintln(l.out, none)
		return err
	}
	_, err := fmt.Fprintf(l.out, "%s\n%s", l.colours.paint(bold, top), rest)
	return err
}
