package main

import (
	"os"
	"strings"
	"testing"
)

// Proportions are those within a round, so rounds that differ do not blur them.
func TestTapTable(t *testing.T) {
	var all []tapped
	for round, slow := range []float64{1, 5, 2} {
		for kind, factor := range map[string]float64{"": 1, "reads": 1.05, "stopped": 1.04} {
			all = append(all, tapped{kind, figure{Round: round, Median: 10 * slow * factor, P99: 30, CPU: 12, Broker: 6}})
		}
	}
	got := tapTable(all)
	for _, want := range []string{
		"| none | 20.0 |  |  | 30.0 | 12.0 | 6.00 |",
		"| one that reads | 21.0 | **1.050** | ≤ 1.10 |",
		"| one that has stopped | 20.8 | 1.040 | ≤ 1.03 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{"<!-- taps: make bench-taps writes this -->", "<!-- end of taps -->"} {
		if strings.Count(string(page), mark) != 1 {
			t.Errorf("docs/benchmarks.md has no %s", mark)
		}
	}
}
