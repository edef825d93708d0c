package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kbus"
)

// everyCommand calls do for each command that a person can see, and for kbus itself.
func everyCommand(do func(*cobra.Command)) {
	root := newRoot(newLine())
	do(root)
	for _, c := range root.Commands() {
		if !c.Hidden {
			do(c)
		}
	}
}

// TestExamplesWork runs each example of the help, and gives it the partners that it needs.
func TestExamplesWork(t *testing.T) {
	withDaemon(t, 1)
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, dir := range []string{".zfunc", ".config/fish/completions", ".local/share/bash-completion/completions"} {
		must(t, os.MkdirAll(filepath.Join(home, dir), 0o700))
	}
	everyCommand(func(c *cobra.Command) {
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			line, _, _ = strings.Cut(line, "  #")
			if line = strings.TrimSpace(line); line == "kbusd &" {
				continue // it runs
			}
			if line == "kbus play" {
				line += " --fast"
			}
			t.Run(line, func(t *testing.T) { runExample(t, line) })
		}
	})
}

var (
	quotedName = regexp.MustCompile(`'(\$\.[^']*)'`)
	countFlag  = regexp.MustCompile(`--count (\d+)`)
)

func runExample(t *testing.T, line string) {
	var names []string
	for _, m := range quotedName.FindAllStringSubmatch(line, -1) {
		names = append(names, m[1])
	}
	count := 0
	if m := countFlag.FindStringSubmatch(line); m != nil {
		count, _ = strconv.Atoi(m[1])
	}
	switch {
	case strings.HasPrefix(line, "kbus listen "):
		ends(t, line, len(names), count, "send", speak, "Ahem")
	case strings.HasPrefix(line, "kbus answer "):
		ends(t, line, 1, count, "ask", names[0])
	case strings.Contains(line, "kbus ask '$.Nobody'"):
		runs(t, line)
	case strings.Contains(line, "kbus ask "):
		answer := start(t, "kbus", "answer", names[0], "--with", "so be it", "--count", "1")
		await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
		runs(t, line)
		if status := answer.status(t); status != 0 {
			t.Errorf("nobody asked: %s", &answer.err)
		}
	default:
		runs(t, line)
	}
}

// runs runs a line that ends by itself.
func runs(t *testing.T, line string) {
	t.Helper()
	if c := start(t, "bash", "-c", line); c.status(t) != 0 || c.err.Len() > 0 && !strings.Contains(line, "||") {
		t.Errorf("%v, %s", c.ProcessState, &c.err)
	}
}

// ends runs a line that ends when the other command has been run count times or, without a count, on Ctrl-C.
func ends(t *testing.T, line string, bound, count int, other ...string) {
	t.Helper()
	c := start(t, "bash", "-c", "exec "+line)
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == bound })
	for range max(1, count) {
		kbusOK(t, other...)
	}
	if count == 0 {
		must(t, c.Process.Signal(os.Interrupt))
	}
	if status := c.status(t); status != 0 || c.out.Len() == 0 || c.err.Len() > 0 {
		t.Errorf("status %d, %q, %s", status, &c.out, &c.err)
	}
}

// TestManual holds the manual against the program: every command has its usage and every flag there.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	must(t, err)
	manual := string(text)
	everyCommand(func(c *cobra.Command) {
		usage := "## `" + strings.TrimSuffix(c.UseLine(), " [flags]") + "`"
		if c.HasParent() && !strings.Contains(manual, usage) {
			t.Errorf("the manual has no %q", usage)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !strings.Contains(manual, "`--"+f.Name) {
				t.Errorf("the manual does not tell of --%s of %s", f.Name, c.CommandPath())
			}
		})
	})
}

// TestHelpFits: every line of every help fits on a terminal of 100 columns, and most people's is not wider.
func TestHelpFits(t *testing.T) {
	everyCommand(func(c *cobra.Command) {
		text := kbusOK(t, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		for line := range strings.Lines(text) {
			if len(line) > 100 {
				t.Errorf("%s: %s", c.CommandPath(), line)
			}
		}
		if !strings.Contains(text, "usage: kbus") || !strings.Contains(text, "Examples:\n") {
			t.Errorf("%s: %s", c.CommandPath(), text)
		}
	})
}
