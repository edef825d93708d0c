package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/top"
)

// The figures of `kbus monitor --stats`: a row for each name; where there are several buses, for each name on each. Package top counts.

// jsonCounts are those of a name on a bus.
type jsonCounts struct {
	Bus      uint32  `json:"bus"`
	Name     string  `json:"name"`
	Messages uint64  `json:"messages"`
	Bytes    uint64  `json:"bytes"`
	Reached  uint64  `json:"reached"`
	Skipped  uint64  `json:"skipped"`
	Refused  uint64  `json:"refused"`
	Statuses uint64  `json:"statuses"` // that Requests of that name got
	Answered uint64  `json:"answered"`
	Mean     float64 `json:"answer_mean"` // seconds
	Longest  float64 `json:"answer_longest"`
}

// counted is the rows of a bus, those with most messages first.
func (w *watched) counted() []top.Name {
	rows := w.tally.Rows(0)
	slices.SortStableFunc(rows, func(a, b top.Name) int { return cmp.Compare(b.Messages, a.Messages) })
	return rows
}

func (m *view) printTally(all []*watched) error {
	if m.JSON {
		for _, of := range all {
			for _, n := range of.counted() {
				j := jsonCounts{of.bus, n.Name, n.Messages, n.Bytes, n.Copies, n.Skipped, n.Refused, n.Statuses, n.Answered, n.Mean.Seconds(), n.Longest.Seconds()}
				if err := cli.WriteJSON(m.text, j); err != nil {
					return err
				}
			}
		}
		return nil
	}
	bus := ""
	if m.namesBus {
		bus = "BUS\t"
	}
	return m.table(bus+"NAME\tMESSAGES\tBYTES\tREACHED\tSKIPPED\tREFUSED\tSTATUSES\tANSWERED\tMEAN\tLONGEST", func(w io.Writer) {
		for _, of := range all {
			for _, n := range of.counted() {
				mean, longest := "-", "-"
				if n.Answered > 0 {
					mean, longest = n.Mean.Round(time.Microsecond).String(), n.Longest.Round(time.Microsecond).String()
				}
				if m.namesBus {
					fmt.Fprintf(w, "%d\t", of.bus)
				}
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", n.Name, n.Messages, n.Bytes, n.Copies, n.Skipped, n.Refused,
					n.Statuses, n.Answered, mean, longest)
			}
		}
	}, "nothing was sent")
}
