package main

import (
	"fmt"
	"os"
	"strings"
)

// The tables of docs/benchmarks.md, from the figures.

// Everything between these two lines of the document is ours.
const (
	tableBegins = "<!-- figures: made by `make bench`, not by hand -->"
	tableEnds   = "<!-- end of figures -->"
)

func replaceTable(path, table string) error {
	return replaceBetween(path, tableBegins, tableEnds, table)
}

func replaceBetween(path, begins, ends, table string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(b), begins)
	_, tail, ok2 := strings.Cut(rest, ends)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no %q and %q", path, begins, ends)
	}
	return os.WriteFile(path, []byte(head+begins+"\n\n"+table+"\n"+ends+tail), 0o644)
}

// column is a column of a table: a value of a test.
type column struct {
	title string
	test  test
	value func(*figure) float64
}

func roundTripColumns(values ...column) (list []column) {
	for _, size := range []int{32, 1024} {
		for _, v := range values {
			list = append(list, column{sizeName(size) + " " + v.title, test{"rtt", size, 0}, v.value})
		}
	}
	return list
}

func throughputColumns() (list []column) {
	for _, t := range tests {
		if t.words == "pub" {
			list = append(list, column{fmt.Sprintf("%s × %d", sizeName(t.size), t.consumers), t, thousands})
		}
	}
	return list
}

// idleTest is the measurement of memory with so many clients.
func idleTest(i int) test { return test{"mem", 0, idleClients[i]} }

func sizeName(bytes int) string {
	if bytes >= 1024 {
		return fmt.Sprintf("%d KiB", bytes/1024)
	}
	return fmt.Sprintf("%d B", bytes)
}

// tables is everything that is written into the document.
func tables(fs *figures) string {
	var b strings.Builder
	b.WriteString(fs.about.String())
	all := roundTripColumns(column{"p50", test{}, median}, column{"p99", test{}, p99},
		column{"CPU", test{}, cpu}, column{"CPU of the bus", test{}, broker})
	const perSecond = "thousand messages a second, size × consumers"
	fs.table(&b, "Round trip, everything on one processor", "µs; least and most of the rounds in small print",
		"pinned", all)
	fs.targets(&b)
	fs.table(&b, "Throughput, on all processors", perSecond, "unpinned", throughputColumns())
	fs.table(&b, "Round trip, on all processors", "µs; a lottery of which process wakes where", "unpinned",
		roundTripColumns(column{"p50", test{}, median}, column{"p99", test{}, p99}, column{"CPU", test{}, cpu}))
	fs.table(&b, "Throughput, everything on one processor", perSecond, "pinned", throughputColumns())
	memory := []column{{"idle", idleTest(0), rssIdle}}
	for i, clients := range idleClients {
		memory = append(memory, column{fmt.Sprintf("with %d clients", clients), idleTest(i), rss})
	}
	fs.table(&b, "Memory of the bus", "MiB resident", "unpinned", memory)
	return b.String()
}

func (fs *figures) table(b *strings.Builder, title, unit, mode string, columns []column) {
	fmt.Fprintf(b, "### %s\n\n%s\n\n|", title, unit)
	for _, c := range columns {
		fmt.Fprintf(b, " | %s", c.title)
	}
	b.WriteString(" |\n|---")
	for range columns {
		b.WriteString("|---:")
	}
	b.WriteString("|\n")
	for _, p := range fs.measured() {
		var cells []string
		any := false
		for _, c := range columns {
			s := fs.of(mode, p.name, c.test, c.value)
			any = any || s.rounds > 0
			cells = append(cells, s.String())
		}
		if any {
			fmt.Fprintf(b, "| %s | %s |\n", p.title, strings.Join(cells, " | "))
		}
	}
	b.WriteString("\n")
}
