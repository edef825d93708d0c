package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What a tap costs those who talk: round trips on one bus with no tap, with one that reads all that it is shown, and with one
// that has stopped. The three take turns on the same daemon, a piece each in every round, and what counts is the proportion
// within a round, everything on one processor.

// tapKinds are measured; the first is what the others are compared with. most is the proportion that is wanted.
var tapKinds = []struct {
	name string // as kbus-bench tap has it; "": none
	row  string
	most float64
}{{"", "none", 1}, {"reads", "one that reads", 1.10}, {"stopped", "one that has stopped", 1.03}}

// tapWarm is how many round trips come before the clock starts: more than fill what waits for a tap that does not read.
const tapWarm = 10_000

// tapped is one measurement.
type tapped struct {
	Tap string `json:"tap"`
	figure
}

func taps(o *options) error {
	var environment []string
	cost := study[tapped]{
		name: "taps", target: "bench-taps", table: tapTable,
		begin: func(s *site, _ *options) error {
			s.peer = "taps"
			pid, err := s.start(nil, filepath.Join(s.work, "kbusd"), "--dir", s.dir)
			if err != nil {
				return err
			}
			environment = []string{"KBUS_DIR=" + s.dir, brokers(pid), "WARM=" + strconv.Itoa(tapWarm)}
			return s.waitFor("unix", filepath.Join(s.dir, "bus0.sock"))
		},
		round: func(s *site, o *options, round int, keep func(*tapped)) error {
			for i := range tapKinds {
				kind := tapKinds[(i+round)%len(tapKinds)].name // none is always behind the same other
				f, err := measureTap(s, environment, kind, int(30_000*o.each.Seconds()))
				if err != nil {
					return err
				}
				f.Round = round
				keep(f)
			}
			return nil
		},
	}
	return cost.run(o)
}

// measureTap measures a piece with a tap of that kind.
func measureTap(s *site, environment []string, kind string, count int) (*tapped, error) {
	program := filepath.Join(s.work, "kbus-bench")
	if kind != "" {
		end, err := hold(s.command(environment, program, "tap", kind))
		if err != nil {
			return nil, fmt.Errorf("a tap that is %s: %w", kind, err)
		}
		defer end()
	}
	line, err := s.command(environment, program, "rtt", "32", strconv.Itoa(count)).Output()
	if err != nil {
		return nil, err
	}
	f := &tapped{Tap: kind}
	err = json.Unmarshal(line, &f.figure)
	f.Mode = "pinned"
	return f, err
}

// hold starts a program that stays until the end of its input, and waits for its first line.
func hold(c *exec.Cmd) (end func(), err error) {
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	end = func() { in.Close(); _ = c.Wait() }
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// tapTable has a row for each kind: medians of the rounds, and the median of what each is to the first in the same round.
func tapTable(all []tapped) string {
	var b strings.Builder
	b.WriteString("| tap | round trip p50, µs | to none | wanted | p99, µs | CPU, µs | CPU of the bus, µs |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for i, k := range tapKinds {
		ratio, wanted := "", ""
		if i > 0 {
			v := ratioOf(all, k.name)
			ratio, wanted = fmt.Sprintf("%.3f", v), fmt.Sprintf("≤ %.2f", k.most)
			if v <= k.most {
				ratio = "**" + ratio + "**"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |", k.row, short(tapMedian(all, k.name, median)), ratio, wanted)
		for _, value := range []func(*figure) float64{p99, cpu, broker} {
			fmt.Fprintf(&b, " %s |", short(tapMedian(all, k.name, value)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// ratioOf is the median, over the rounds, of the median of a kind by that of the first.
func ratioOf(all []tapped, kind string) float64 {
	none := map[int]float64{}
	for i := range all {
		if all[i].Tap == tapKinds[0].name {
			none[all[i].Round] = all[i].Median
		}
	}
	var v []float64
	for i := range all {
		if all[i].Tap == kind {
			v = append(v, all[i].Median/none[all[i].Round])
		}
	}
	return middle(v)
}

func tapMedian(all []tapped, kind string, value func(*figure) float64) float64 {
	var v []float64
	for i := range all {
		if all[i].Tap == kind {
			v = append(v, value(&all[i].figure))
		}
	}
	return middle(v)
}

func middle(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
