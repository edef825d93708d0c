package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/top"
)

func plainPaint(_, text string) string { return text }

// aPicture has that many Ksocks and names, the first of them the busiest.
func aPicture(n int) *top.Picture {
	p := &top.Picture{Time: time.Date(2026, 11, 30, 12, 3, 4, 0, time.UTC)}
	for i := range n {
		p.Ksocks = append(p.Ksocks, top.Ksock{
			KsockInfo: kbus.KsockInfo{Party: kbus.Party{Ksock: kbus.KsockID(n - i), PID: 1000 + uint32(i), Program: fmt.Sprint("program", i)},
				MaxMessages: 100, Queued: uint32(10 * i)},
			Out: top.Rate{Messages: float64(1000 - i)},
		})
		p.Names = append(p.Names, top.Name{Name: fmt.Sprint("$.Name", i), Rate: top.Rate{Messages: float64(2000 - i)}, Messages: 3, Bytes: 12})
	}
	return p
}

func aView(n int) *View {
	v := NewView(plainPaint)
	v.Show(aPicture(n))
	return v
}

func press(v *View, keys ...string) {
	for _, k := range keys {
		v.Key(k)
	}
}

// pointed is the line that the view points at.
func pointed(v *View) string {
	for _, line := range v.Lines() {
		if strings.HasPrefix(line, ">") {
			return line
		}
	}
	return ""
}

func wants(t *testing.T, v *View, texts ...string) {
	t.Helper()
	all := strings.Join(v.Lines(), "\n")
	for _, text := range texts {
		if not, is := strings.CutPrefix(text, "not "); is && strings.Contains(all, not) || !is && !strings.Contains(all, text) {
			t.Errorf("wanted %q:\n%s", text, all)
		}
	}
}

// All fits, on terminals of every size, and nothing is written outside.
func TestFits(t *testing.T) {
	for _, n := range []int{0, 1, 3, 200} {
		for _, width := range []int{1, 20, 80, 200} {
			for _, height := range []int{1, 2, 3, 5, 24, 60} {
				for _, keys := range []string{"", "?", "enter", "tab", "tab enter", "/"} {
					v := aView(n)
					v.Resize(width, height)
					press(v, strings.Fields(keys)...)
					lines := v.Lines()
					if len(lines) != height {
						t.Errorf("%d lines instead of %d, with %d rows and keys %q", len(lines), height, n, keys)
					}
					for _, line := range lines {
						if ansi.StringWidth(line) > width {
							t.Errorf("wider than %d: %q", width, line)
						}
					}
				}
			}
		}
	}
}

// Eighty columns have both tables, whole.
func TestEightyColumns(t *testing.T) {
	v := aView(3)
	wants(t, v, "kbus top  bus 0  12:03:04  3 Ksocks  6.0k messages/s",
		" KSOCK     PID PROGRAM        OUT/S   IN/S            QUEUE MISSED  OWES OLDEST",
		">    3    1000 program0        1.0k      0 [      ]   0/100      0     0      -",
		" NAME                     MSG/S   SIZE REACHED/S SKIPPED REFUSED ANSWER LONGEST",
		" $.Name0                   2.0k      4         0       0       0      -       -", "? keys  q end")
}

// Of a Ksock with more bindings than lines all can be seen, and how many are still below.
func TestDetailsLongerThanTheScreen(t *testing.T) {
	p := aPicture(1)
	for i := range 100 {
		p.Ksocks[0].Bound = append(p.Ksocks[0].Bound, kbus.BindingInfo{Name: fmt.Sprintf("$.Bound%d.", i), As: kbus.Listener})
	}
	v := NewView(plainPaint)
	v.Show(p)
	press(v, "enter")
	lines := 10 + 100 // with what is said before the bindings
	wants(t, v, "$.Bound0.", "not $.Bound99.", fmt.Sprint(lines-22, " lines more"))
	press(v, "down", "pgdown")
	wants(t, v, fmt.Sprint(lines-22-13, " lines more"))
	press(v, "end", "down")
	wants(t, v, "$.Bound99.", "not lines more")
	press(v, "up")
	wants(t, v, "$.Bound98.", "not $.Bound99.", "1 lines more")
	press(v, "home")
	wants(t, v, "Ksock 1 of program0")
	press(v, "end", "esc", "enter")
	wants(t, v, "Ksock 1 of program0")
}

func TestKeys(t *testing.T) {
	v := aView(3)
	press(v, "down", "down", "down", "up")
	wants(t, v, ">    2")
	press(v, "tab", "end")
	wants(t, v, ">$.Name2")
	press(v, "home")
	wants(t, v, ">$.Name0")
	press(v, "tab", "s", "s") // the queue
	if got := v.Lines()[2]; !strings.Contains(got, "program2") {
		t.Errorf("the fullest queue is not first: %s", got)
	}
	press(v, "r")
	if got := v.Lines()[2]; !strings.Contains(got, "program0") {
		t.Errorf("the emptiest queue is not first: %s", got)
	}
	press(v, "S", "S", "S") // the program
	if got := v.Lines()[2]; !strings.Contains(got, "program0") {
		t.Errorf("words begin with the last: %s", got)
	}
	press(v, "/", "m", "2", "x", "backspace")
	wants(t, v, "only rows with: m2_", "program2", "not program1")
	press(v, "enter")
	wants(t, v, "only m2", "not program1")
	press(v, "esc")
	wants(t, v, "program1")
	press(v, "?")
	wants(t, v, "any key goes back", "sort by the next column", "for its Reply on average")
	for _, line := range help() {
		if len(line) > 80 {
			t.Errorf("too long for 80 columns: %s", line)
		}
	}
	press(v, "x")
	wants(t, v, "not any key")
	if v.Key("x") || !v.Key("q") || !v.Key("ctrl+c") {
		t.Error("q and ctrl+c end it, and others do not")
	}
	press(v, "/")
	if v.Key("q") || !v.Key("ctrl+c") {
		t.Error("a q in a filter is a letter")
	}
}

// The row that is pointed at is the same when the order changes, and the first when it has gone.
func TestPointsAtARow(t *testing.T) {
	v := aView(3)
	press(v, "down")
	was := pointed(v)
	p := aPicture(3)
	p.Ksocks[1].Out.Messages = 5000
	v.Show(p)
	if got := pointed(v); was[:20] != got[:20] {
		t.Errorf("it pointed at %s\nand points at %s", was, got)
	}
	v.Show(aPicture(0))
	v.Show(aPicture(1))
	wants(t, v, ">    1")
}

// More rows than lines: those around the one that is pointed at.
func TestScrolls(t *testing.T) {
	v := aView(200)
	press(v, "end")
	wants(t, v, ">    1", "not program0 ")
	press(v, "tab", "pgdown", "pgdown")
	wants(t, v, ">$.Name24")
}

func TestPauses(t *testing.T) {
	v := aView(3)
	press(v, "space")
	v.Show(aPicture(1))
	wants(t, v, "3 Ksocks", "PAUSED")
	press(v, "p")
	v.Show(aPicture(1))
	wants(t, v, "1 Ksocks", "not PAUSED")
}

func TestDetails(t *testing.T) {
	v := aView(2)
	p := aPicture(2)
	k := &p.Ksocks[0]
	k.Bound = []kbus.BindingInfo{{Ksock: k.Ksock, As: kbus.Replier, Name: "$.Name0"}}
	k.Unanswered, k.Oldest, k.Missed, k.Sending = 7, 90*time.Second, 5, true
	for i := range 7 {
		k.Owes = append(k.Owes, top.Owed{ID: kbus.ID{Serial: uint32(i)}, Name: "$.Name0", By: kbus.Peer{Ksock: 1, PID: 42, Program: "asker"}, Age: time.Minute})
	}
	n := &p.Names[0]
	n.Answered, n.Mean, n.Longest, n.Statuses = 3, 20*time.Millisecond, 2*time.Second, 1
	v.Show(p)
	press(v, "enter")
	wants(t, v, "Ksock 2 of program0, pid 1000", "owes      7 answers, the oldest for 1m30s", "[0:4] $.Name0 of asker (Ksock 1, pid 42), 1m00s ago",
		"and 2 more", "$.Name0 as Replier", "missed    5 in all", "waits until there is room")
	v.Show(aPicture(0))
	wants(t, v, "Ksock 2 has closed")
	press(v, "esc")
	v.Show(p)
	press(v, "tab", "enter")
	wants(t, v, "$.Name0", "answered  3 Requests, on average after 20ms, at most 2.0s; 1 by a Status", "Ksock 2 of program0, pid 1000, as Replier")
	press(v, "esc")
	wants(t, v, "not on average")
	v.Show(aPicture(0))
	press(v, "enter")
	wants(t, v, "not nothing is said")
}

func TestFigures(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.25: "0.2", 12: "12", 12.34: "12.3", 999: "999", 1000: "1.0k", 99960: "100k", 1234567: "1.2M", 999_999: "1.0M"} {
		if got := Amount(n); got != want {
			t.Errorf("%v is %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0us", 1500 * time.Microsecond: "1ms", 2590 * time.Millisecond: "2.5s", 61 * time.Second: "1m01s", 25 * time.Hour: "25h00m"} {
		if got := Age(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
	if got := bar(1, 100, 6) + bar(100, 100, 6) + bar(200, 100, 6) + bar(0, 0, 3); got != "[|     ][||||||][||||||][   ]" {
		t.Error(got)
	}
	k := top.Ksock{Unanswered: 1, Older: true, Oldest: time.Second}
	if got := Oldest(&k); got != ">1.0s" {
		t.Error(got)
	}
}
