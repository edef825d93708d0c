package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The table of what a bus costs with many others on it.

// kinds are how bindings look, by the name of their kind.
var kinds = map[string]string{"exact": "exact", "percent": "`%`", "star": "`*`"}

// growthTable has a row for each crowd: medians of the rounds, and how many times the first row's that is.
func growthTable(all []grown) string {
	columns := []struct {
		title string
		test  test
		value func(*figure) float64
	}{
		{"round trip p50, µs", growthTests[0], median},
		{"its CPU, µs", growthTests[0], cpu},
		{"CPU per message × 1, µs", growthTests[1], cpu},
		{"thousand messages/s × 1", growthTests[1], thousands},
		{"CPU per message × 8, µs", growthTests[2], cpu},
	}
	var b strings.Builder
	b.WriteString("| others on the bus |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.title)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for _, who := range crowds {
		fmt.Fprintf(&b, "| %s |", who)
		for _, c := range columns {
			v := medianOf(all, who, c.test, c.value)
			fmt.Fprintf(&b, " %s <sub>× %.2f</sub> |", short(v), v/medianOf(all, crowds[0], c.test, c.value))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// String names the crowd as the table does.
func (c crowd) String() string {
	switch {
	case c == crowds[0]:
		return "1 Ksock"
	case c.Bindings == 0:
		return fmt.Sprintf("%d Ksocks", c.Ksocks)
	}
	return fmt.Sprintf("%d bindings, %s", c.Bindings, kinds[c.Kind])
}

func medianOf(all []grown, who crowd, t test, value func(*figure) float64) float64 {
	var v []float64
	for i := range all {
		if g := &all[i]; g.crowd == who && g.Test == t.words && g.Consumers == t.consumers {
			v = append(v, value(&g.figure))
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[len(v)/2]
}
