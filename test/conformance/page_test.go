package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docs/conformance.md shows what came of a whole run: `make conformance` writes it, and every run of the tests holds it
// against the front ends and cases that there are.

const pageTop = `# Conformance

One table of cases, which every way to a bus must pass, whatever the language and the transport. Rows are kinds of
cases, columns are front ends, and a cell says how many of the cases have passed. "make conformance" runs it and
writes this page; "make test" runs it too.

* **Recordings** are operations and outcomes of the reference, one file for each case: in
  internal/file/testdata/traces, with their format; some are written by hand in that format. KBUS_TRACES=DIR replays
  those of another directory. A front end without memory that the bus could look into is given a message that points at
  its name and data in one piece, with as much of both as its header says. What a daemon
  rightly does otherwise, because it sends for its clients what waits for room, is foretold by a bus that is
  polled likewise.
* **Written cases** are what recordings are silent about: messages sent and received whole, previous values, what a
  send tells, the bytes of a message encoded again, hostile lengths, the loss of the daemon, what was missed, traces. They are in
  test/conformance/cases, and a person can read them.
* **Read from each other**: each front end sends every kind of message to each on one bus, and what arrives must have
  exactly the bytes that it has to have. The cell counts those from whom it read everything so.

The Ksocks are original ones, as those of the recordings, but for the modern functions of C.

A front end in another language is reached through a driver, a small program that reads commands and writes outcomes,
a line each; test/conformance/driver has both sides of that. TestTheTableNoticesDriversThatAreWrong shows what happens
to a wrong one.

`

func (r *table) page() string {
	var b strings.Builder
	b.WriteString(pageTop)
	b.WriteString("| cases |")
	for _, f := range r.columns {
		fmt.Fprintf(&b, " %s |", f.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.columns)) + "\n")
	var notes []string
	for _, g := range r.groups {
		fmt.Fprintf(&b, "| %s |", g.title)
		for _, f := range r.columns {
			text, why := r.show(f, g)
			if why != "" {
				if !slices.Contains(notes, why) {
					notes = append(notes, why)
				}
				text += fmt.Sprintf(" (%d)", slices.Index(notes, why)+1)
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, why := range notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, sentence(why))
	}
	fmt.Fprintf(&b, "\n    %s\n\n%s", r, doors)
	return b.String()
}

// show is a cell, and why it is not full.
func (r *table) show(f *front, g *group) (text, why string) {
	if f.missing != "" {
		return "-", f.missing
	}
	c := r.cell(f, g.title)
	if c.total == 0 {
		return "-", c.why
	}
	return fmt.Sprintf("%d/%d", c.passed, c.total), c.why
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// hold compares the page with a run in which all went well. Columns that could not be run here are taken as they stand,
// and so is the last row when there are any.
func (r *table) hold(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(module(), "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	const remedy = "docs/conformance.md is out of date: run make conformance. "
	if !strings.HasPrefix(string(text), pageTop) {
		t.Error(remedy + "Its beginning is another.")
	}
	if !strings.HasSuffix(string(text), doors) {
		t.Error(remedy + "Its end is another.")
	}
	there, here := cells(string(text)), cells(r.page())
	if fmt.Sprint(there[0]) != fmt.Sprint(here[0]) || len(there) != len(here) {
		t.Fatalf("%sIts front ends are %q, and now %q; its rows %d, and now %d",
			remedy, there[0], here[0], len(there), len(here))
	}
	incomplete := slices.ContainsFunc(r.columns, func(f *front) bool { return f.missing != "" })
	for i, row := range here[1:] {
		old := there[i+1]
		for j, is := range row {
			if j > 0 && (r.columns[j-1].missing != "" || row[0] == crossTitle && incomplete) {
				continue
			}
			if old[j] != is {
				t.Errorf("%sAt %q, %q it says %q, and now %q", remedy, old[0], here[0][j], old[j], is)
			}
		}
	}
}

// cells are the cells of the page's table without the numbers of their notes.
func cells(page string) [][]string {
	rows := rowsOf(page)
	for _, row := range rows {
		for i := range row {
			row[i], _, _ = strings.Cut(row[i], " (")
		}
	}
	return rows
}

// rowsOf are the cells of the first table of a page, row by row. All rows are of one length.
func rowsOf(page string) (rows [][]string) {
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		row := strings.Split(strings.Trim(line, "| \n"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if len(rows) == 0 || len(row) == len(rows[0]) {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return [][]string{nil}
	}
	return rows
}
