package main

import (
	"errors"
	"fmt"
	"time"

	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/files"
	"kbus.example/kbus/internal/recording/recent"
)

// One file of a flight recorder, from its memory, and what it tells of that.

// flightFigures are of one file.
type flightFigures struct {
	events, bytes int64
	span          time.Duration // between the first and now
}

func (f *flight) file(taken *recent.Events, now int64) (name string, figures flightFigures, err error) {
	out, err := files.Begin(f.plan)
	if err != nil {
		return "", figures, err
	}
	err = taken.Each(now, func(e *recording.Event) error {
		figures.events++
		if figures.span == 0 && e.Boot != 0 {
			figures.span = time.Duration(now - e.Boot)
		}
		return out.Write(e)
	})
	err = errors.Join(err, out.Close())
	figures.bytes = out.Bytes()
	if figures.events == 0 {
		return "", figures, err
	}
	return out.Name(), figures, err
}

func (f *flight) report(name, because string, figures flightFigures) {
	span := figures.span.Round(time.Millisecond)
	switch {
	case f.JSON:
		_ = f.printJSON(struct {
			File    string  `json:"file"`
			Because string  `json:"because"`
			Events  int64   `json:"events"`
			Bytes   int64   `json:"bytes"`
			Seconds float64 `json:"seconds"`
		}{name, because, figures.events, figures.bytes, span.Seconds()})
	case name == "":
		fmt.Fprintf(f.out, "%s: in the last %v nothing has happened that is not in a file, so nothing is written\n", because, f.span)
	default:
		fmt.Fprintf(f.out, "%s: %s of the last %v in %s\n", because, plural(figures.events, "event"), span, name)
	}
}
