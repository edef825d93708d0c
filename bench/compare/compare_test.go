package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// some are figures of three rounds: KBUS, one other bus and a limit.
func some() *figures {
	fs := &figures{about: description{Date: "2020-02-02", Versions: []string{"Redis 7"}}}
	add := func(mode, peer string, t test, values ...float64) {
		for i, v := range values {
			f := figure{Mode: mode, Round: i + 1, Peer: peer, Test: t.words, Size: t.size, Consumers: t.consumers}
			f.Median, f.P99, f.CPU, f.Broker, f.Messages, f.RssIdle, f.Rss = v, 2*v, v, v/2, 1000*v, 1024*v, 2048*v
			fs.all = append(fs.all, f)
		}
	}
	add("pinned", "kbus", test{"rtt", 32, 0}, 10, 12, 11)
	add("pinned", "redis", test{"rtt", 32, 0}, 40, 20, 30)
	add("pinned", "raw-ring", test{"rtt", 32, 0}, 5)
	add("unpinned", "kbus", test{"pub", 32, 1}, 3000)
	add("unpinned", "redis", test{"pub", 32, 1}, 999, 1001)
	add("unpinned", "raw-ring", test{"pub", 32, 1}, 90000)
	add("unpinned", "kbus", idleTest(0), 3)
	return fs
}

func TestTables(t *testing.T) {
	got := tables(some())
	for _, want := range []string{
		"Measured on 2020-02-02",
		"| **KBUS** | 11.0 <sub>10.0–12.0</sub> | 22.0 <sub>20.0–24.0</sub> | 11.0",
		"| Redis | 30.0 <sub>20.0–40.0</sub> |",
		"| *limit:* relay, rings | 5.00 |",
		"| round trip p50, 32 B, to the relay over rings | 11.0 | limit: relay, rings, 5.00 | 2.20 | ≤ 1.4 |",
		"| round trip p50, 32 B | 11.0 | Redis, 30.0 | **0.37** | ≤ 0.4 |",
		"| throughput, 32 B × 1 | 3000 | Redis, 1000 | **3.00** | ≥ 2.2 |",
		"| Redis | 1000 <sub>999–1001</sub> | – | – |",
		"| memory of the idle daemon, MiB | **3.00** | | | ≤ 5 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "NATS") || strings.Contains(got, "1 KiB × 1 |  |") {
		t.Errorf("rows of what was not measured in\n%s", got)
	}
}

func TestReplaceTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + tableBegins + "\nold\n" + tableEnds + "\nafter\n")
	for range 2 { // the second time changes nothing
		if err := replaceTable(path, "new"); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(path)
	if want := "before\n" + tableBegins + "\n\nnew\n" + tableEnds + "\nafter\n"; string(got) != want {
		t.Errorf("%q", got)
	}
	write("a page without marks")
	if err := replaceTable(path, "new"); err == nil {
		t.Error("it was written somewhere")
	}
}

// The page that the table belongs to has the marks.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(page), tableBegins) != 1 || strings.Count(string(page), tableEnds) != 1 {
		t.Error("docs/benchmarks.md has no place for the table")
	}
	for _, p := range peers() {
		if title := plain(p.title); !p.ours() && !strings.Contains(string(page), "| "+title+" |") {
			t.Errorf("docs/benchmarks.md does not say what %s does", title)
		}
	}
}

func TestPlot(t *testing.T) {
	svg := plot(some())
	bars := map[string]int{}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					bars[a.Value]++
				}
			}
		}
	}
	if bars["ours"] != 2 || bars["other"] != 2 || bars["limit"] != 2 {
		t.Errorf("bars %v", bars)
	}
	if !bytes.Contains(svg, []byte("→ 90000")) {
		t.Error("the limit fits into a panel that is made for the others")
	}
}

// Who is not installed is left out, and told how to come in.
func TestInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	here, missing := installed(peers())
	for _, p := range here {
		if p.source != "" {
			t.Errorf("%s can be measured without a compiler", p.name)
		}
	}
	told := strings.Join(missing, "\n")
	for _, want := range []string{"redis is left out: gcc and redis-server and library hiredis not found",
		"apt-get install", "libzmq3-dev"} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in\n%s", want, told)
		}
	}
}
