// Command compare measures KBUS beside other buses of this machine and the physical limits, and makes a table and a
// plot of it. `make bench` and `make bench-quick` run it; docs/benchmarks.md says how to read what comes out.
//
// All brokers run at once, and the peers take turns: in each round every test is done by all peers, one right after the
// other. So whatever else the machine does meanwhile happens to all of them alike, and what counts is how they
// compare within a run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type options struct {
	bin    string // directory of kbusd and kbus-bench; what is built for the comparison goes to bench in it
	out    string // file of the figures
	page   string // document to write the table into; "" for none
	plot   string // file of the plot; "" for none
	only   string // peers to measure, separated by commas; "" for all
	rounds int
	each   time.Duration // how long one measurement takes
	atMost time.Duration // no new round when it would end later
	quick  bool          // measure less
	redraw bool          // make table and plot of figures measured before
	grow   bool          // measure how cost grows instead
	taps   bool          // measure what a tap costs instead
}

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, under two minutes; leaves page and plot alone")
	flag.StringVar(&o.bin, "bin", "../bin", "directory of kbusd and kbus-bench")
	flag.StringVar(&o.out, "out", "", "file for the figures, as lines of JSON (BIN/bench/figures.jsonl)")
	flag.StringVar(&o.page, "page", "../docs/benchmarks.md", "document to write the table into")
	flag.StringVar(&o.plot, "plot", "../docs/benchmarks.svg", "file for the plot")
	flag.StringVar(&o.only, "peers", "", "measure only these, separated by commas (all)")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&o.each, "each", 500*time.Millisecond, "time for one measurement")
	flag.DurationVar(&o.atMost, "at-most", time.Hour, "begin no round that would end later than this")
	flag.BoolVar(&o.redraw, "redraw", false, "measure nothing: table and plot of what was measured before")
	flag.BoolVar(&o.grow, "grow", false, "measure how the cost of a message grows with who else is on the bus")
	flag.BoolVar(&o.taps, "taps", false, "measure what a tap costs those who talk")
	flag.Parse()
	if o.quick {
		o.rounds, o.each, o.atMost, o.page, o.plot = 3, 150*time.Millisecond, 90*time.Second, "", ""
	}
	if o.out == "" {
		o.out = filepath.Join(o.bin, "bench", "figures.jsonl")
	}
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if o.grow {
		return grow(o)
	}
	if o.taps {
		return taps(o)
	}
	if !o.redraw {
		if err := measure(o); err != nil {
			return err
		}
	}
	figures, err := readFigures(o.out)
	if err != nil {
		return err
	}
	table := tables(figures)
	fmt.Println(table)
	if o.page != "" {
		if err := replaceTable(o.page, table); err != nil {
			return err
		}
	}
	if o.plot != "" {
		return os.WriteFile(o.plot, plot(figures), 0o644)
	}
	return nil
}

// measure builds what is missing, runs all rounds, pinned and then unpinned, and leaves the figures in o.out.
func measure(o *options) error {
	began := time.Now()
	all := peers()
	if o.only != "" {
		names := strings.Split(o.only, ",")
		all = slices.DeleteFunc(all, func(p *peer) bool { return !slices.Contains(names, p.name) })
	}
	here, missing := installed(all)
	for _, m := range missing {
		fmt.Fprintln(os.Stderr, m)
	}
	if len(here) == 0 {
		return errors.New("there is nothing to measure")
	}
	work, err := filepath.Abs(filepath.Join(o.bin, "bench"))
	if err == nil {
		err = os.MkdirAll(work, 0o755)
	}
	if err == nil {
		err = build(here, work)
	}
	if err != nil {
		return err
	}
	out, err := os.Create(o.out)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := writeLine(out, machine(here)); err != nil {
		return err
	}
	if o.atMost -= time.Since(began); o.atMost < 20*time.Second { // building may have taken long, the first time
		o.atMost = 20 * time.Second
	}
	return rounds(o, here, work, out)
}
