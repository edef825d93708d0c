package main

import (
	"slices"

	"kbus.example/kbus"
)

// withAnswers is a filter for who means names and what answers Requests of those names, which package choose picks out of what a
// tap with it is shown. A Status has a name of the bus's, and which Request it answers only that Request tells: so all Statuses are
// asked for, and Requests that have not failed.
func withAnswers(f kbus.TapFilter) kbus.TapFilter {
	if len(f.Patterns) > 0 {
		f.Patterns = append(slices.Clip(f.Patterns), "$.KBUS.*")
		f.OnlyFailures = false
	}
	return f
}
