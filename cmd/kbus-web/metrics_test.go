package main

import (
	"bufio"
	"cmp"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// The tests run the real programs, which are built once and lie in PATH then.
func TestMain(m *testing.M) { os.Exit(programs.Main(m, nil, "kbus-web", "kbusd", "kbus")) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running is a program of which the test reads the lines on standard error.
type running struct {
	*exec.Cmd
	t     *testing.T
	lines *bufio.Scanner
}

func start(t *testing.T, program string, args ...string) *running {
	t.Helper()
	p := &running{Cmd: exec.Command(program, args...), t: t}
	err, e := p.StderrPipe()
	must(t, e)
	p.lines = bufio.NewScanner(err)
	must(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

// await reads lines until one has the words.
func (p *running) await(words string) string {
	p.t.Helper()
	for p.lines.Scan() {
		if strings.Contains(p.lines.Text(), words) {
			return p.lines.Text()
		}
	}
	p.t.Fatalf("%s never said %q", p.Path, words)
	return ""
}

// figures asks for the figures and reads them with the parser of Prometheus itself.
func figures(t *testing.T, address string) map[string]float64 {
	t.Helper()
	r, err := http.Get(address)
	must(t, err)
	defer r.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r.Body)
	must(t, err)
	all := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if l.GetName() == "name" || l.GetName() == "kind" {
					name += " " + l.GetValue()
				}
			}
			all[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			name = f.GetName()
		}
	}
	return all
}

// It serves figures, goes on when the daemon is killed and is back, and nobody notices when it is killed itself.
func TestServes(t *testing.T) {
	dir := t.TempDir()
	daemon := start(t, "kbusd", "--dir", dir, "--buses", "1")
	daemon.await("buses are open")
	web := start(t, "kbus", "metrics", "--dir", dir, "--listen", "127.0.0.1:0", "--name", "$.Lamp.*")
	address := regexp.MustCompile(`http://\S+`).FindString(web.await("figures at"))
	talk := func() {
		t.Helper()
		k, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
		must(t, err)
		defer k.Close()
		_, err = k.Send(t.Context(), kbus.Announcement("$.Lamp.Set", "on"))
		must(t, err)
	}
	until := func(name string, ok func(float64) bool) {
		t.Helper()
		for !ok(figures(t, address)[name]) {
			if name != "kbus_up" {
				talk() // the tap may have come after what was said before
			}
		}
	}
	is := func(want float64) func(float64) bool { return func(v float64) bool { return v == want } }
	until("kbus_messages_total announcement $.Lamp.Set", func(v float64) bool { return v > 0 })
	until("kbus_up", is(1))
	must(t, daemon.Process.Kill())
	_ = daemon.Wait()
	until("kbus_up", is(0))
	daemon = start(t, "kbusd", "--dir", dir, "--buses", "1")
	daemon.await("buses are open")
	until("kbus_up", is(1))
	before := figures(t, address)["kbus_messages_total announcement $.Lamp.Set"]
	until("kbus_messages_total announcement $.Lamp.Set", func(v float64) bool { return v > before })
	must(t, web.Process.Kill())
	talk()
}

// A page of somebody else cannot read the figures, not even by a name of its own that leads here.
func TestFiguresAreNotForPages(t *testing.T) {
	web := start(t, "kbus", "metrics", "--dir", t.TempDir(), "--listen", "127.0.0.1:0")
	address := regexp.MustCompile(`http://\S+`).FindString(web.await("figures at"))
	for host, want := range map[string]int{"": http.StatusOK, "rebound.example": http.StatusMisdirectedRequest} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		must(t, err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		must(t, err)
		if answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("for the host %q: %d, want %d", host, answer.StatusCode, want)
		}
	}
}

// What is printed is what OpenMetrics wants, and what Prometheus does.
func TestPrints(t *testing.T) {
	dir := t.TempDir()
	start(t, "kbusd", "--dir", dir, "--buses", "2").await("buses are open")
	for form, end := range map[string]string{"openmetrics": "# EOF\n", "prometheus": "\n"} {
		out, err := exec.Command("kbus-web", "metrics", "--dir", dir, "--format", form).Output()
		must(t, err)
		for _, want := range []string{`kbus_up{bus="0"} 1`, `kbus_up{bus="1"} 1`, "# TYPE kbus_queued gauge"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s has no %s:\n%s", form, want, out)
			}
		}
		if !strings.HasSuffix(string(out), end) || strings.Contains(string(out), "kbus_messages_total") {
			t.Errorf("%s:\n%s", form, out)
		}
	}
}

// What is wrong with a command line is said in its own words.
func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"metrics --listen 0.0.0.0:1":             "other machines reach that address",
		"metrics --listen [::]:1":                "other machines reach that address",
		"metrics --listen 9464":                  "it must be HOST:PORT",
		"metrics --listen 127.0.0.1:1 --name A":  `--name "A"`,
		"metrics --name $.A":                     "are for --listen",
		"metrics --format xml":                   "openmetrics or prometheus",
		"metrics --listen 127.0.0.1:1 --names 0": "1 or more",
		"metrics --dir /nowhere":                 "no bus 0 in /nowhere: is kbusd running?",
		"metrics extra":                          `unexpected argument "extra"`,
	} {
		out, err := exec.Command("kbus-web", strings.Fields(args)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}

// The manual tells of every flag.
func TestManual(t *testing.T) {
	for _, c := range newRoot(newLine()).Commands() {
		if slices.Contains([]string{"version", "completion", "help"}, c.Name()) {
			continue
		}
		page, err := os.ReadFile("../../docs/" + cmp.Or(map[string]string{"socket": "javascript"}[c.Name()], c.Name()) + ".md")
		must(t, err)
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !strings.Contains(string(page), "--"+f.Name) {
				t.Errorf("the manual does not tell of --%s of %s", f.Name, c.Name())
			}
		})
		for line := range strings.Lines(c.Long + "\n" + c.Example + "\n" + c.UsageString()) {
			if len(line) > 130 {
				t.Errorf("%s: %s", c.Name(), line)
			}
		}
	}
}
