package screen

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A table: rows in an order that a person chooses, of which one is pointed at. It points at a row and not at a line, so the
// row may move.

type table[T any] struct {
	columns  []column[T]
	key      func(*T) string // what a row is known by
	by       int             // the column that it is sorted by
	reversed bool
	at       string // the key of the row that is pointed at; "" before any was
}

// rows are those that pass the filter, in order.
func (t *table[T]) rows(all []T, filter string) []*T {
	var rows []*T
	for i := range all {
		if filter == "" || slices.ContainsFunc(t.columns, func(c column[T]) bool {
			return c.left && strings.Contains(strings.ToLower(c.cell(&all[i])), strings.ToLower(filter))
		}) {
			rows = append(rows, &all[i])
		}
	}
	c := &t.columns[t.by]
	sign := 1
	if c.left == t.reversed { // figures: the largest first
		sign = -1
	}
	slices.SortStableFunc(rows, func(a, b *T) int { return sign * c.compare(a, b) })
	return rows
}

// index is where the row stands that is pointed at, the first if it has gone.
func (t *table[T]) index(rows []*T) int {
	return max(0, slices.IndexFunc(rows, func(r *T) bool { return t.key(r) == t.at }))
}

func (t *table[T]) move(rows []*T, by int) {
	if len(rows) > 0 {
		t.at = t.key(rows[min(max(0, t.index(rows)+by), len(rows)-1)])
	}
}

func (t *table[T]) sortNext(by int) {
	t.by, t.reversed = (t.by+by+len(t.columns))%len(t.columns), false
}

// lines are a heading and as many rows as fit, those around the one that is pointed at if there are more.
func (t *table[T]) lines(rows []*T, width, height int, focus bool, paint Paint) []string {
	spare := width - 1
	for _, c := range t.columns {
		spare -= c.width + 1
	}
	var head strings.Builder
	head.WriteString(" ")
	for i, c := range t.columns {
		text := fit(c.head, c.room(spare), c.left)
		if i == t.by {
			text = paint(underlined, strings.TrimSpace(text))
			text = padded(text, c.room(spare), c.left)
		}
		head.WriteString(text + " ")
	}
	out := []string{paint(bold, cut(head.String(), width))}
	at, first := t.index(rows), 0
	if fits := height - 1; at >= fits {
		first = at - fits + 1
	}
	for i := first; i < len(rows) && len(out) < height; i++ {
		out = append(out, t.line(rows[i], spare, width, focus && i == at, paint))
	}
	return out
}

func (t *table[T]) line(row *T, spare, width int, pointed bool, paint Paint) string {
	var b strings.Builder
	b.WriteString(map[bool]string{true: ">", false: " "}[pointed])
	for _, c := range t.columns {
		text := fit(c.cell(row), c.room(spare), c.left)
		if c.alarm != nil && c.alarm(row) {
			text = paint(red, text)
		}
		b.WriteString(text + " ")
	}
	line := cut(b.String(), width)
	if pointed {
		return paint(bold, line)
	}
	return line
}

func (c *column[T]) room(spare int) int {
	if c.wide && spare > 0 {
		return c.width + spare
	}
	return c.width
}

// fit is a text in a place of that width.
func fit(text string, width int, left bool) string {
	return padded(ansi.Truncate(text, width, "~"), width, left)
}

func padded(text string, width int, left bool) string {
	blank := strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
	if left {
		return text + blank
	}
	return blank + text
}

func cut(line string, width int) string {
	return strings.TrimRight(ansi.Truncate(line, width, ""), " ")
}
