package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
)

// figure is one line of what was measured, as the clients print it, with the mode and the round. Times are in
// microseconds.
type figure struct {
	Mode      string  `json:"mode"` // pinned or unpinned
	Round     int     `json:"round"`
	Peer      string  `json:"peer"`
	Test      string  `json:"test"` // rtt, pub, mem or first
	Size      int     `json:"size,omitempty"`
	Consumers int     `json:"consumers,omitempty"`
	Count     int     `json:"n,omitempty"`
	Window    int     `json:"window,omitempty"`
	Min       float64 `json:"min_us,omitempty"`
	Median    float64 `json:"p50_us,omitempty"`
	P99       float64 `json:"p99_us,omitempty"`
	Mean      float64 `json:"mean_us,omitempty"`
	Messages  float64 `json:"msg_s,omitempty"`
	CPU       float64 `json:"cpu_us,omitempty"`
	Broker    float64 `json:"broker_cpu_us,omitempty"`
	Clients   int     `json:"clients,omitempty"`
	RssIdle   float64 `json:"rss_idle_kib,omitempty"`
	Rss       float64 `json:"rss_kib,omitempty"`
	DirtyIdle float64 `json:"dirty_idle_kib,omitempty"`
	Dirty     float64 `json:"dirty_kib,omitempty"`
}

// figures are all of a run.
type figures struct {
	about description
	all   []figure
}

func readFigures(path string) (*figures, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var fs figures
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var one figure
		into := any(&one)
		if n == 1 {
			into = &fs.about
		}
		if err := json.Unmarshal(lines.Bytes(), into); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		if n > 1 {
			fs.all = append(fs.all, one)
		}
	}
	return &fs, lines.Err()
}

// measured are the peers that there are figures of, in the order of the table.
func (fs *figures) measured() (rows []*peer) {
	for _, p := range peers() {
		if slices.ContainsFunc(fs.all, func(f figure) bool { return f.Peer == p.name && f.Test != "mem" }) {
			rows = append(rows, p)
		}
	}
	return rows
}

// spread is the median of all rounds, and the least and most.
type spread struct {
	median, least, most float64
	rounds              int
}

// of gives one value of one peer in one test.
func (fs *figures) of(mode, peer string, t test, value func(*figure) float64) spread {
	var v []float64
	for i := range fs.all {
		f := &fs.all[i]
		if f.Mode == mode && f.Peer == peer && f.Test == t.words && f.Size == t.size && f.Consumers == t.consumers {
			v = append(v, value(f))
		}
	}
	if len(v) == 0 {
		return spread{median: math.NaN(), least: math.NaN(), most: math.NaN()}
	}
	slices.Sort(v)
	middle := v[len(v)/2]
	if len(v)%2 == 0 {
		middle = (v[len(v)/2-1] + middle) / 2
	}
	return spread{middle, v[0], v[len(v)-1], len(v)}
}

// The values.
func median(f *figure) float64    { return f.Median }
func p99(f *figure) float64       { return f.P99 }
func cpu(f *figure) float64       { return f.CPU }
func broker(f *figure) float64    { return f.Broker }
func thousands(f *figure) float64 { return f.Messages / 1000 }
func rssIdle(f *figure) float64   { return f.RssIdle / 1024 }
func rss(f *figure) float64       { return f.Rss / 1024 }

// String is the median, and in brackets how far the rounds differ.
func (s spread) String() string {
	switch {
	case s.rounds == 0:
		return "–"
	case s.rounds == 1:
		return short(s.median)
	}
	return fmt.Sprintf("%s <sub>%s–%s</sub>", short(s.median), short(s.least), short(s.most))
}

// short is a number in three digits or so.
func short(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
