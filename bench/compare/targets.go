package main

import (
	"fmt"
	"math"
	"strings"
)

// What KBUS wants to be, in proportion to the best of the other buses in each column. Figures of different machines
// cannot be compared; these can.

type target struct {
	row    string // of KBUS
	title  string
	mode   string
	test   test
	value  func(*figure) float64
	most   float64 // the proportion is at most that, or
	least  float64 // at least that
	rivals string  // "" for the best peer, else the name of one row
}

// factors are what throughput is to be, of the best other's: of the Go client and of the one in C.
var factors = map[test]float64{
	{"pub", 32, 1}: 2.2, {"pub", 1024, 1}: 4, {"pub", 65536, 1}: 2.2,
	{"pub", 32, 8}: 2.2, {"pub", 1024, 8}: 4.5, {"pub", 65536, 8}: 4.5,
	{"pub", 1024, 64}: 3, {"pub", 65536, 64}: 8,
}

func targetList() (list []target) {
	for _, size := range []int{32, 1024} {
		t := test{"rtt", size, 0}
		name := "round trip p50, " + sizeName(size)
		list = append(list,
			target{"kbus", name + ", to the relay over rings", "pinned", t, median, 1.4, 0, "raw-ring"},
			target{"kbus-c", name + ", to the relay over rings, C client", "pinned", t, median, 1.25, 0, "raw-ring"},
			target{"kbus", name, "pinned", t, median, 0.40, 0, ""},
			target{"kbus", "round trip p99, " + sizeName(size), "pinned", t, p99, 0.6, 0, ""},
			target{"kbus-socket", name + ", socket only", "pinned", t, median, 0.65, 0, ""},
			target{"kbus-c", "CPU of a round trip, " + sizeName(size) + ", C client", "pinned", t, cpu, 0.40, 0, ""})
	}
	list = append(list, target{"kbus-python", "round trip p50, 32 B, Python client", "pinned", test{"rtt", 32, 0}, median, 0.5,
		0, "dbus-python"})
	for _, t := range tests {
		if f, ok := factors[t]; ok {
			title := fmt.Sprintf("throughput, %s × %d", sizeName(t.size), t.consumers)
			list = append(list, target{"kbus", title, "unpinned", t, thousands, 0, f, ""},
				target{"kbus-c", title + ", C client", "unpinned", t, thousands, 0, f, ""})
		}
	}
	socketOnly := test{"pub", 65536, 1}
	return append(list, target{"kbus-socket", "throughput, 64 KiB × 1, socket only", "unpinned", socketOnly, thousands, 0, 1, ""})
}

// best is the best of the rivals, and who that is.
func (fs *figures) best(t *target) (value float64, who string) {
	for _, p := range fs.measured() {
		if t.rivals == "" && (p.ours() || p.limits()) || t.rivals != "" && t.rivals != p.name {
			continue
		}
		v := fs.of(t.mode, p.name, t.test, t.value).median
		if math.IsNaN(v) {
			continue
		}
		if who == "" || t.most > 0 && v < value || t.least > 0 && v > value {
			value, who = v, p.title
		}
	}
	return value, strings.ReplaceAll(who, "*", "")
}

func (fs *figures) targets(b *strings.Builder) {
	b.WriteString("### Against the best of the others\n\n" +
		"| | KBUS | best other | proportion | wanted |\n|---|---:|---|---:|---:|\n")
	for _, t := range targetList() {
		ours := fs.of(t.mode, t.row, t.test, t.value).median
		theirs, who := fs.best(&t)
		if math.IsNaN(ours) || who == "" {
			continue
		}
		wanted, met := fmt.Sprintf("≤ %g", t.most), ours/theirs <= t.most
		if t.least > 0 {
			wanted, met = fmt.Sprintf("≥ %g", t.least), ours/theirs >= t.least
		}
		proportion := fmt.Sprintf("%.2f", ours/theirs)
		if met {
			proportion = "**" + proportion + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s, %s | %s | %s |\n", t.title, short(ours), who, short(theirs), proportion, wanted)
	}
	fs.absolute(b, "memory of the idle daemon, MiB", idleTest(0), rssIdle, 5)
	for i, most := range [...]float64{6, 16} {
		fs.absolute(b, fmt.Sprintf("memory with %d clients, MiB", idleClients[i]), idleTest(i), rss, most)
	}
	fs.absolute(b, "start to first message, ms", test{words: "first"}, func(f *figure) float64 { return f.Median / 1000 }, 30)
	b.WriteString("\n")
}

// absolute is a target that is no proportion.
func (fs *figures) absolute(b *strings.Builder, title string, of test, value func(*figure) float64, most float64) {
	v := fs.of("unpinned", "kbus", of, value).median
	if math.IsNaN(v) {
		return
	}
	text := short(v)
	if v <= most {
		text = "**" + text + "**"
	}
	fmt.Fprintf(b, "| %s | %s | | | ≤ %g |\n", title, text, most)
}
