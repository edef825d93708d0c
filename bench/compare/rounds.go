package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// test is one kind of measurement.
type test struct {
	words     string // rtt or pub
	size      int
	consumers int
}

// tests is what is measured in every round.
var tests = []test{
	{"rtt", 32, 0}, {"rtt", 1024, 0},
	{"pub", 32, 1}, {"pub", 1024, 1}, {"pub", 65536, 1},
	{"pub", 32, 8}, {"pub", 1024, 8}, {"pub", 65536, 8},
	{"pub", 1024, 64}, {"pub", 65536, 64},
}

// arguments are those of a client's command line.
func (t test) arguments(count int) []string {
	a := []string{t.words, strconv.Itoa(t.size), strconv.Itoa(count)}
	if t.words == "pub" {
		a = append(a, strconv.Itoa(t.consumers))
	}
	return a
}

// first is how many messages the trial has that finds out how many fit into the time.
func (t test) first() int {
	switch {
	case t.words == "rtt":
		return 300
	case t.size > 4096:
		return 200
	}
	return 2000
}

// testsFor leaves out of a quick run what says least or takes longest: throughput on one processor, the lottery of round
// trips on several, and crowds of consumers.
func testsFor(quick, pinned bool) []test {
	if !quick {
		return tests
	}
	return slices.DeleteFunc(slices.Clone(tests), func(t test) bool {
		return (t.words == "rtt") != pinned || t.consumers > 8
	})
}

// rounds measures pinned and then unpinned, half of the time each.
func rounds(o *options, here []*peer, work string, out io.Writer) error {
	if err := firstMessage(work, out); err != nil {
		return err
	}
	began := time.Now()
	for i, pinned := range []bool{true, false} {
		s, err := newSite(work, pinned)
		if err != nil {
			return err
		}
		p := &phase{options: o, site: s, peers: slices.Clone(here), tests: testsFor(o.quick, pinned), out: out,
			environment: map[*peer][]string{}, counts: map[*peer]map[test]int{}}
		err = p.run(began.Add(o.atMost / time.Duration(2-i)))
		s.close()
		if err != nil {
			return err
		}
	}
	return nil
}

func writeLine(out io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s\n", line)
	}
	return err
}
