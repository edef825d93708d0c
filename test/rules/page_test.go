package rules

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// docs/vendor.md is performed as it stands: its files are written, and what it has typed is typed into one shell, which must print
// what the page says, but for blanks, numbers of four digits and more, and how long something took, which differ from run to run.

// end is printed behind what each command prints.
const end = "\x01end of a command"

func TestVendorPage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	text, err := os.ReadFile("../../docs/vendor.md")
	must(t, err)
	dir, err := os.MkdirTemp("", "kbus")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	bin, here := filepath.Join(dir, "bin"), filepath.Join(dir, "here")
	must(t, os.Mkdir(bin, 0o755))
	must(t, programs.Build(bin, "kbusd", "kbus"))
	var script strings.Builder
	var typed, printed []string
	for block := range strings.SplitSeq(strings.ReplaceAll(string(text), "/usr/bin/", bin+"/"), "\n\n") {
		lines := strings.Split(strings.TrimPrefix(block, "    "), "\n    ")
		switch name, file := strings.CutPrefix(lines[0], "# "); {
		case !strings.HasPrefix(block, "    "):
		case file:
			must(t, os.MkdirAll(filepath.Join(here, filepath.Dir(name)), 0o755))
			if filepath.Ext(name) == ".json" { // which has no comments
				lines = lines[1:]
			}
			must(t, os.WriteFile(filepath.Join(here, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
		default:
			for _, line := range lines {
				if command, is := strings.CutPrefix(line, "$ "); is {
					typed, printed = append(typed, command), append(printed, "")
					script.WriteString(command + "\nprintf '%s\\n' '" + end + "'\n")
				} else {
					printed[len(printed)-1] += line + "\n"
				}
			}
		}
	}
	got := perform(t, here, bin, script.String())
	for i, want := range printed {
		switch {
		case i >= len(got)-1:
			last := got[len(got)-1]
			t.Fatalf("%s does not end\n%s", typed[i], last[:min(len(last), 1000)])
		case want != "" && !alike(want).MatchString(strings.TrimSpace(got[i])):
			t.Errorf("%s prints\n%s\nand not\n%s", typed[i], got[i], want)
		}
	}
	if len(typed) < 30 {
		t.Errorf("the page has %d commands only", len(typed))
	}
}

// perform has a shell do a script, and gives what each command printed, and what came after the last.
func perform(t *testing.T, dir, bin, script string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", script)
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	output, err := os.CreateTemp(t.TempDir(), "") // and no pipe, which what is left of the programs would keep open
	must(t, err)
	defer output.Close()
	c.Stdout, c.Stderr = output, output
	if err := c.Run(); err != nil {
		t.Errorf("the shell: %v", err)
	}
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	text, err := os.ReadFile(output.Name())
	must(t, err)
	return strings.Split(string(text), end+"\n")
}

var (
	numbers = regexp.MustCompile(`\d{4,}`)
	lengths = regexp.MustCompile(`\d[\d\\.]*(ms|s)\b`)
	blanks  = regexp.MustCompile(`\s+`)
)

// alike is what the page says, for all runs.
func alike(text string) *regexp.Regexp {
	text = lengths.ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(text)), `[\d.]+m?s`)
	return regexp.MustCompile("^" + blanks.ReplaceAllString(numbers.ReplaceAllString(text, `\d+`), `\s+`) + "$")
}

func TestAlike(t *testing.T) {
	a := alike("running  4711 [0:9999] 1.1s\n99\n")
	if !a.MatchString("running 5 [0:3] 12.75s\n99") || a.MatchString("running 5 [0:3] 1.1s\n98") || a.MatchString("running 5 [0:3] -\n99") {
		t.Error(a)
	}
}
