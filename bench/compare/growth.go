package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Growth: what a message costs beside a crowd of Ksocks and bindings that have nothing to do with it. Each crowd has a
// daemon of its own. All are there at once and take turns, everything on one processor, so that what the machine does
// meanwhile happens to all of them alike.

// crowd is who else is on a bus.
type crowd struct {
	Ksocks   int    `json:"crowd_ksocks"`
	Bindings int    `json:"crowd_bindings"`
	Kind     string `json:"crowd_kind"`
}

// crowds are measured; the first is what the others are compared with.
var crowds = []crowd{
	{1, 0, "exact"}, {10, 0, "exact"}, {100, 0, "exact"}, {1000, 0, "exact"}, {5000, 0, "exact"},
	{1, 100, "exact"}, {1, 10000, "exact"},
	{1, 100, "percent"}, {1, 10000, "percent"},
	{1, 100, "star"}, {1, 10000, "star"},
}

// grown is one measurement.
type grown struct {
	crowd
	figure
}

// growthConfig lifts the limits that the largest crowds would meet.
const growthConfig = "[limits]\nconnections = 6000\nuser-connections = 6000\nuser-wildcards = 20000\n"

// growthTests are a round trip, and messages to one and to eight Listeners.
var growthTests = []test{{"rtt", 32, 0}, {"pub", 32, 1}, {"pub", 32, 8}}

func grow(o *options) error {
	environments := make([][]string, len(crowds))
	growth := study[grown]{
		name: "growth", target: "bench-growth", table: growthTable,
		begin: func(s *site, _ *options) (err error) {
			for i, c := range crowds {
				if environments[i], err = c.gather(s, i); err != nil {
					return fmt.Errorf("%+v: %w", c, err)
				}
			}
			return nil
		},
		round: func(s *site, o *options, round int, keep func(*grown)) error {
			for _, t := range growthTests {
				for i, c := range crowds {
					g, err := c.measure(s, environments[i], t, o)
					if err != nil {
						return err
					}
					g.Round = round
					keep(g)
				}
			}
			return nil
		},
	}
	return growth.run(o)
}

// gather starts a daemon and its crowd, and gives the environment for clients.
func (c crowd) gather(s *site, number int) ([]string, error) {
	s.peer = "growth" + strconv.Itoa(number)
	dir := filepath.Join(s.dir, s.peer)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	config, err := s.file(s.peer+".toml", growthConfig)
	if err != nil {
		return nil, err
	}
	pid, err := s.start(nil, filepath.Join(s.work, "kbusd"), "--config", config, "--dir", dir)
	if err != nil {
		return nil, err
	}
	environment := []string{"KBUS_DIR=" + dir, brokers(pid)}
	if err := s.waitFor("unix", filepath.Join(dir, "bus0.sock")); err != nil {
		return nil, err
	}
	_, err = s.startAndRead(environment, filepath.Join(s.work, "kbus-bench"), "crowd",
		strconv.Itoa(c.Ksocks), strconv.Itoa(c.Bindings), c.Kind)
	return environment, err
}

// measure measures for about as long as o says.
func (c crowd) measure(s *site, environment []string, t test, o *options) (*grown, error) {
	perSecond := map[test]float64{growthTests[0]: 30_000, growthTests[1]: 1_000_000, growthTests[2]: 250_000}[t]
	count := int(perSecond * o.each.Seconds())
	words := append([]string{}, t.arguments(count)...)
	line, err := s.command(environment, filepath.Join(s.work, "kbus-bench"), words...).Output()
	if err != nil {
		return nil, fmt.Errorf("%+v, %s: %w", c, strings.Join(words, " "), err)
	}
	g := &grown{crowd: c}
	err = json.Unmarshal(line, &g.figure)
	g.Mode = "pinned"
	return g, err
}
