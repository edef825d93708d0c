package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// study is a measurement beside the comparison of buses: of one bus under several circumstances that take turns, in rounds, everything
// on one processor, so that what the machine does meanwhile happens to all of them alike. What is measured goes to
// bench/NAME.jsonl as it comes, and in the end into a table of the page.
type study[T any] struct {
	name, target string // and the target of make that does this one
	begin        func(s *site, o *options) error
	round        func(s *site, o *options, round int, keep func(*T)) error
	table        func([]T) string
}

// run makes one round to warm up, of which nothing is kept, and those that are asked for.
func (y *study[T]) run(o *options) error {
	work, err := filepath.Abs(o.bin)
	if err != nil {
		return err
	}
	s, err := newSite(work, true)
	if err != nil {
		return err
	}
	defer s.close()
	if err := y.begin(s, o); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(work, "bench"), 0o755); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(work, "bench", y.name+".jsonl"))
	if err != nil {
		return err
	}
	defer out.Close()
	var all []T
	var failed error
	for round := range o.rounds + 1 {
		err := y.round(s, o, round, func(t *T) {
			if round > 0 && failed == nil {
				all = append(all, *t)
				failed = writeLine(out, t)
			}
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", y.name, round, o.rounds)
	}
	table := y.table(all)
	fmt.Println(table)
	if o.page == "" {
		return nil
	}
	return replaceBetween(o.page, "<!-- "+y.name+": make "+y.target+" writes this -->", "<!-- end of "+y.name+" -->", table)
}
