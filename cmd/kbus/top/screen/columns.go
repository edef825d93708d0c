package screen

import (
	"cmp"
	"fmt"
	"strings"

	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/top"
)

// What stands in the two tables. The widths are for 80 columns; what a terminal has more goes to the column that is wide.

type column[T any] struct {
	head    string
	width   int
	left    bool // at the left of its place, and from small to large when sorted by
	wide    bool
	cell    func(*T) string
	compare func(a, b *T) int
	alarm   func(*T) bool // nil: never
}

var ksockColumns = []column[top.Ksock]{
	{head: "KSOCK", width: 5, cell: func(k *top.Ksock) string { return fmt.Sprint(k.Ksock) },
		compare: func(a, b *top.Ksock) int { return cmp.Compare(a.Ksock, b.Ksock) }},
	{head: "PID", width: 7, cell: func(k *top.Ksock) string { return fmt.Sprint(k.PID) },
		compare: func(a, b *top.Ksock) int { return cmp.Compare(a.PID, b.PID) }},
	{head: "PROGRAM", width: 12, left: true, wide: true, cell: func(k *top.Ksock) string { return plain.Text(k.Program) },
		compare: func(a, b *top.Ksock) int { return strings.Compare(a.Program, b.Program) }},
	{head: "OUT/S", width: 6, cell: func(k *top.Ksock) string { return Amount(k.Out.Messages) },
		compare: func(a, b *top.Ksock) int { return cmp.Compare(a.Out.Messages, b.Out.Messages) }},
	{head: "IN/S", width: 6, cell: func(k *top.Ksock) string { return Amount(k.In.Messages) },
		compare: func(a, b *top.Ksock) int { return cmp.Compare(a.In.Messages, b.In.Messages) }},
	{head: "QUEUE", width: 16, cell: queue, compare: func(a, b *top.Ksock) int { return cmp.Compare(fullness(a), fullness(b)) },
		alarm: func(k *top.Ksock) bool { return k.MaxMessages > 0 && k.Queued >= k.MaxMessages }},
	{head: "MISSED", width: 6, cell: func(k *top.Ksock) string { return Amount(float64(k.Missed)) },
		compare: func(a, b *top.Ksock) int { return cmp.Compare(a.Missed, b.Missed) },
		alarm:   func(k *top.Ksock) bool { return k.MissedNow > 0 }},
	{head: "OWES", width: 5, cell: func(k *top.Ksock) string { return Amount(float64(k.Unanswered)) },
		compare: func(a, b *top.Ksock) int { return cmp.Compare(a.Unanswered, b.Unanswered) }},
	{head: "OLDEST", width: 6, cell: Oldest, compare: func(a, b *top.Ksock) int { return cmp.Compare(a.Oldest, b.Oldest) },
		alarm: func(k *top.Ksock) bool { return k.Unanswered > 0 && k.Oldest.Seconds() >= 1 }},
}

var nameColumns = []column[top.Name]{
	{head: "NAME", width: 23, left: true, wide: true, cell: func(n *top.Name) string { return plain.Text(n.Name) },
		compare: func(a, b *top.Name) int { return strings.Compare(a.Name, b.Name) }},
	{head: "MSG/S", width: 6, cell: func(n *top.Name) string { return Amount(n.Rate.Messages) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Rate.Messages, b.Rate.Messages) }},
	{head: "SIZE", width: 6, cell: func(n *top.Name) string { return Amount(n.Size()) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Size(), b.Size()) }},
	{head: "REACHED/S", width: 9, cell: func(n *top.Name) string { return Amount(n.Reached) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Reached, b.Reached) }},
	{head: "SKIPPED", width: 7, cell: func(n *top.Name) string { return Amount(float64(n.Skipped)) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Skipped, b.Skipped) },
		alarm:   func(n *top.Name) bool { return n.Skipped > 0 }},
	{head: "REFUSED", width: 7, cell: func(n *top.Name) string { return Amount(float64(n.Refused)) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Refused, b.Refused) },
		alarm:   func(n *top.Name) bool { return n.Refused > 0 }},
	{head: "ANSWER", width: 6, cell: func(n *top.Name) string { return Took(n, n.Mean) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Mean, b.Mean) }},
	{head: "LONGEST", width: 7, cell: func(n *top.Name) string { return Took(n, n.Longest) },
		compare: func(a, b *top.Name) int { return cmp.Compare(a.Longest, b.Longest) }},
}

func queue(k *top.Ksock) string {
	return fmt.Sprintf("%s %7s", bar(k.Queued, k.MaxMessages, 6), Amount(float64(k.Queued))+"/"+Amount(float64(k.MaxMessages)))
}

func fullness(k *top.Ksock) float64 { return float64(k.Queued) / float64(max(1, k.MaxMessages)) }
