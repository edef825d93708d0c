package conformance

import (
	"fmt"
	"strings"
	"sync"
)

// table is what came of the cases.
type table struct {
	mutex   sync.Mutex
	ran     bool
	groups  []*group
	columns []*front
	cells   map[place]*cell
	failed  int
}

// place is where a cell is in the table.
type place struct {
	title string
	front *front
}

// cell counts the cases of a group that a front end has run, and says why some were left out.
type cell struct {
	passed, total int
	why           string // some were left out
}

var theTable table

func (r *table) begin(groups []*group, columns []*front) {
	*r = table{ran: true, groups: groups, columns: columns, cells: map[place]*cell{}}
}

func (r *table) cell(f *front, title string) *cell {
	at := place{title, f}
	if r.cells[at] == nil {
		r.cells[at] = &cell{}
	}
	return r.cells[at]
}

// note counts a case that has run.
func (r *table) note(f *front, g *group, failed bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	c := r.cell(f, g.title)
	c.total++
	if failed {
		r.failed++
		return
	}
	c.passed++
}

// breaks counts a front end that should run here, and does not.
func (r *table) breaks() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.failed++
}

// leaveOut counts a case that a front end cannot run.
func (r *table) leaveOut(f *front, g *group, why string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.cell(f, g.title).why = why
}

// String is the last line of a run.
func (r *table) String() string {
	cases, columns := 0, 0
	for _, g := range r.groups {
		cases += len(g.cases)
	}
	for _, f := range r.columns {
		if f.missing == "" {
			columns++
		}
	}
	return fmt.Sprintf("conformance: %d cases, %d front ends, %d failures", cases, columns, r.failed)
}

// overview is one line for each front end.
func (r *table) overview() string {
	var b strings.Builder
	for _, f := range r.columns {
		if f.missing != "" {
			continue
		}
		passed, total := 0, 0
		for _, g := range r.groups {
			c := r.cell(f, g.title)
			passed, total = passed+c.passed, total+c.total
		}
		fmt.Fprintf(&b, "%-16s %d of %d cases\n", f.name, passed, total)
	}
	return b.String()
}
