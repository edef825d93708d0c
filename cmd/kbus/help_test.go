package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kbus.example/kbus"
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
			if strings.HasPrefix(line, "kbus play") && !strings.Contains(line, " --fast") {
				line = strings.Replace(line, "kbus play", "kbus play --fast", 1)
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
	case strings.HasPrefix(line, "kbus rules "), strings.HasPrefix(line, "kbus explain "):
		withRules(t)
		runs(t, line)
	case strings.HasPrefix(line, "kbus services check"):
		withService(t)
		runs(t, line)
	case strings.HasPrefix(line, "kbus listen "):
		ends(t, line, len(names), count, "send", speak, "Ahem")
	case strings.HasPrefix(line, "kbus answer "):
		ends(t, line, 1, count, "ask", names[0])
	case strings.HasPrefix(line, "kbus keep "):
		c := start(t, "bash", "-c", "exec "+line)
		await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 2*len(names) })
		must(t, c.Process.Signal(os.Interrupt))
		if status := c.status(t); status != 0 || c.err.Len() > 0 {
			t.Errorf("status %d, %s", status, &c.err)
		}
	case strings.HasPrefix(line, "kbus watch "):
		c := looksOn(t, "bash", "-c", "exec "+line)
		must(t, c.Process.Signal(os.Interrupt))
		if status := c.status(t); status != 0 || c.err.Len() > 0 {
			t.Errorf("status %d, %s", status, &c.err)
		}
	case strings.HasPrefix(line, "kbus wait "):
		defer serving(t, names)()
		runs(t, line)
	case strings.Contains(line, "kbus ask '$.Nobody'"):
		runs(t, line)
	case strings.Contains(line, "kbus ask "):
		answer := start(t, "kbus", "answer", names[0], "--with", "so be it", "--count", "1")
		await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
		runs(t, line)
		if status := answer.status(t); status != 0 {
			t.Errorf("nobody asked: %s", &answer.err)
		}
	case strings.HasPrefix(line, "kbus monitor"): // there is nothing to see
		line = strings.Replace(line, " --for 10s", "", 1) + " --for 50ms"
		runs(t, line)
	case strings.HasPrefix(line, "kbus metrics"), strings.HasPrefix(line, "kbus web"): // kbus-web tells more, and its own tests run it
		return
	case strings.HasPrefix(line, "kbus top") && !strings.Contains(line, "--once"): // for a person, who ends it
		runs(t, strings.Replace(line, " --every 5s", "", 1)+" --once --every 50ms")
	case strings.Contains(line, "tshark") && !found("tshark") && os.Getenv("CI") != "true":
		t.Skip("no tshark here")
	case strings.HasPrefix(line, "kbus record"): // likewise; what the examples record is there for those that come later
		runs(t, "cd; "+strings.Replace(line, "--for 10s", "--for 50ms", 1))
	case strings.Contains(line, ".pcapng"):
		runs(t, "cd; "+line)
	default:
		runs(t, line)
	}
}

func found(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// serving has the names answered until it is told to end.
func serving(t *testing.T, names []string) (end func()) {
	t.Helper()
	k, err := kbus.Open(t.Context(), 0)
	must(t, err)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		must(t, k.Bind(t.Context(), name, kbus.Replier))
	}
	go func() {
		_ = k.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply([]byte("yes")) })
	}()
	return func() { must(t, k.Close()) }
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
