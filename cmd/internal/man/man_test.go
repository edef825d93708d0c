package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// TestPages makes the pages of the real programs. Whatever their help tells must be there, and nothing else.
func TestPages(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	for _, p := range pages {
		if err := programs.Build(bin, p.program); err != nil {
			t.Fatal(err)
		}
	}
	if err := makeAll(bin, dir); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		path := filepath.Join(dir, p.program+"."+p.section)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		page := string(text)
		help, err := exec.Command(filepath.Join(bin, p.program), "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(help)) {
			word := strings.TrimPrefix(strings.TrimSpace(line), "-h, ")
			if word, _, _ = strings.Cut(word, " "); word != "--help" && strings.HasPrefix(word, "--") &&
				!strings.Contains(page, "\n.B "+roff(word)) {
				t.Errorf("%s does not tell of %s", path, word)
			}
		}
		for _, command := range parseHelp(string(help)).commands {
			if !strings.Contains(page, "\n.SS "+roff(p.program+" "+command)) {
				t.Errorf("%s does not tell of %s", path, command)
			}
		}
		lint(t, path)
	}
}

// lint has mandoc look at a page, where there is one. A date is not needed: a page is as old as its version.
func lint(t *testing.T, path string) {
	t.Helper()
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Log("not checked: no mandoc here; install it with: apt-get install mandoc")
		return
	}
	out, _ := exec.Command(mandoc, "-T", "lint", "-W", "warning", path).CombinedOutput() // its status tells of the date, too
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "missing date") {
			t.Error(line)
		}
	}
}

func TestHelp(t *testing.T) {
	h := parseHelp(`it does things.

usage: it [flags]

More about it.

  --long TEXT     what it does,
                  and more
  --a-very-long-one ends here
  -h, --help      help

Behind.

  it --long x     an example
`)
	if h.usage != "it [flags]" || strings.Join(h.about, "|") != "it does things.|More about it." || len(h.flags) != 2 ||
		h.flags[0] != (flag{"--long TEXT", "what it does, and more"}) || h.flags[1] != (flag{"--a-very-long-one", "ends here"}) ||
		strings.Join(h.more, "|") != "Behind." || len(h.examples) != 1 {
		t.Errorf("%+v", h)
	}
	if got, want := roff(`.it's -x\n`), `\&.it\(aqs \-x\en`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
