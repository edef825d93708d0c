package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// What docs/seeing.md says is done as it is written, only quicker: its programs run, and each command is repeated until it prints
// what the page says, but for what differs from run to run. What is printed depends on what the programs are at just then, so
// some are tried a few times. All lengths of time on the page are a quarter here, so they are to each other as there.

type page struct {
	t    *testing.T
	dir  string
	last string // process id of what was started last, which is $! in a shell
	name string // of the variable that has it
}

func TestSeeing(t *testing.T) {
	withDaemon(t, 1)
	text, err := os.ReadFile("../../docs/seeing.md")
	must(t, err)
	p := &page{t: t, dir: t.TempDir()}
	blocks := strings.Split(string(text), "\n    $ ")[1:]
	for _, block := range blocks {
		lines := strings.Split(block, "\n")
		var prints []string
		for _, line := range lines[1:] {
			said, is := strings.CutPrefix(line, "    ")
			if !is {
				break
			}
			prints = append(prints, said)
		}
		p.do(quicker(lines[0]), prints)
	}
	if len(blocks) < 10 || quicker("sleep 1; kbus top --every 3s --slow 500ms") != "sleep 0.25; kbus top --every 750ms --slow 125ms" {
		t.Errorf("the page has %d commands only, or they are not made quicker", len(blocks))
	}
}

var timed = regexp.MustCompile(`(--slow |--for |--every |sleep )(\d+)(ms|s)?`)

// quicker is a line with the lengths of time in it a quarter.
func quicker(line string) string {
	return timed.ReplaceAllStringFunc(line, func(length string) string {
		m := timed.FindStringSubmatch(length)
		n, _ := strconv.Atoi(m[2])
		switch m[3] {
		case "ms":
			return fmt.Sprintf("%s%dms", m[1], n/4)
		case "s":
			return fmt.Sprintf("%s%dms", m[1], n*1000/4)
		}
		return fmt.Sprintf("%s%g", m[1], float64(n)/4)
	})
}

var started = regexp.MustCompile(`^(.*) &(?: (\w+)=\$!)?$`)

// do does what a line says, which prints that.
func (p *page) do(line string, prints []string) {
	p.t.Helper()
	if p.name != "" {
		line = strings.ReplaceAll(line, "$"+p.name, p.last)
	}
	switch m := started.FindStringSubmatch(line); {
	case m != nil:
		p.start(m[1])
		p.name = m[2]
	case len(prints) == 0:
		p.run(line)
	default:
		for try := 1; ; try++ {
			got := p.run(line)
			if alike(got) == alike(strings.Join(prints, "\n")) {
				return
			}
			if try == 20 {
				p.t.Fatalf("%s prints\n%s\nand not, but for figures,\n%s", line, got, strings.Join(prints, "\n"))
			}
		}
	}
}

func (p *page) run(line string) string {
	p.t.Helper()
	c := exec.Command("sh", "-c", line)
	c.Dir, c.Stderr = p.dir, os.Stderr
	out, err := c.Output()
	if err != nil {
		p.t.Fatalf("%s: %v", line, err)
	}
	return strings.TrimSpace(string(out))
}

// start starts a program, or a loop of them, in a group of its own that ends with the test.
func (p *page) start(line string) {
	p.t.Helper()
	if !strings.HasPrefix(line, "while") {
		line = "exec " + line
	}
	bound := 0
	await(p.t, func(o *kbus.Observer) bool { bound = bindings(p.t, o); return true })
	c := exec.Command("sh", "-c", line)
	c.Dir, c.SysProcAttr = p.dir, &syscall.SysProcAttr{Setpgid: true}
	must(p.t, c.Start())
	p.last = strconv.Itoa(c.Process.Pid)
	p.t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
	})
	if strings.HasPrefix(line, "exec ") {
		await(p.t, func(o *kbus.Observer) bool { return bindings(p.t, o) == bound+1 })
	}
}

var (
	moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+Z`)
	lengths = regexp.MustCompile(`>?\b[\d.]+(µs|us|ms|s)\b`)
	figures = regexp.MustCompile(`\b[\d.]*[1-9][\d.]*[kM]?\b`)
	spaces  = regexp.MustCompile(`[ \t]+`)
	users   = regexp.MustCompile(`uid \d+`)
)

// alike takes out what differs from run to run: moments, how long something took, and figures that are not 0. Queues stay.
func alike(text string) string {
	text = users.ReplaceAllString(moments.ReplaceAllString(text, "MOMENT"), "uid UID")
	text = lengths.ReplaceAllString(text, "LONG")
	text = figures.ReplaceAllStringFunc(text, func(n string) string {
		if n == "10" || n == "100" {
			return n
		}
		return "N"
	})
	return spaces.ReplaceAllString(text, " ")
}

func TestAlike(t *testing.T) {
	for a, b := range map[string]string{
		"71  9561  till  0.3  0  0 of 100  0  12  512ms": "5 1 till 12.5k 0 0 of 100 0 1 1.0s",
		"2026-11-30T06:53:09.903864Z till[9215] uid 0 x": "2027-01-01T00:00:00Z till[1] uid 1000 x",
	} {
		if alike(a) != alike(b) {
			t.Errorf("%q and %q differ: %q, %q", a, b, alike(a), alike(b))
		}
	}
	for a, b := range map[string]string{"10 of 10 0": "10 of 10 3", "prices 0": "display 0", "0 of 10": "10 of 10", "reached 0": "reached 1"} {
		if alike(a) == alike(b) {
			t.Errorf("%q and %q are alike", a, b)
		}
	}
}

// The programs have their own names, which is what the page tells them apart by.
func TestProgramsUnderOtherNames(t *testing.T) {
	withDaemon(t, 1)
	path, err := exec.LookPath("kbus")
	must(t, err)
	other := filepath.Join(t.TempDir(), "till")
	must(t, os.Symlink(path, other))
	c := start(t, other, "listen", "$.A", "--count", "1")
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	if got := kbusOK(t, "list"); !strings.Contains(got, " till ") {
		t.Error(got)
	}
	kbusOK(t, "send", "$.A")
	c.status(t)
}
