package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// shellsToTry are run as a person runs them, on a terminal, without anything of the system's or the user's own. ready is
// what sets the prompt, which is awaited.
var shellsToTry = []struct {
	name  string
	args  []string
	setup string
	typed []keys
}{
	{"bash", []string{"--norc", "--noprofile", "-i"}, "bind 'set enable-bracketed-paste off'; unset -f _init_completion _get_comp_words_by_ref 2>/dev/null; source $HOME/kbus.bash; source $HOME/kbus-limpet.bash; PS1='READY''> '", []keys{
		{"kbus send $.Act", "kbus send $.Actor.News "},
		{"kbus send '$.Act", "kbus send '$.Actor.News' "},
		{`kbus send "$.Act`, `kbus send "$.Actor.News" `},
		{"kbus listen '$.X.Y' '$.Actor.N", "kbus listen '$.X.Y' '$.Actor.News' "},
		{"kbus listen $.Wil", `kbus listen $.Wild.\* `},
		{"kbus listen --format=mes", "kbus listen --format=message "},
		{"true | kbus --bus 0 sen", "true | kbus --bus 0 send "},
		{"kbus send --all-or-f", "kbus send --all-or-fail "},
		{"kbus-limpet sta", "kbus-limpet status "},
		{"kbus send '$.Actor.News' $HOME/kbus.b", "kbus send '$.Actor.News' $HOME/kbus.bash "},
	}},
	{"zsh", []string{"-f", "-i"}, "autoload -Uz compinit; compinit -D; source $HOME/kbus.zsh; source $HOME/kbus-limpet.zsh; PS1='READY''> '", []keys{
		{"kbus send $.Act", `\$.Actor.News `},
		{"kbus send '$.Act", "kbus send '$.Actor.News' "},
		{"kbus listen '$.X.Y' '$.Actor.N", "kbus listen '$.X.Y' '$.Actor.News' "},
		{"kbus listen '$.Wil", "kbus listen '$.Wild.*' "},
		{"kbus listen --format=mes", "kbus listen --format=message "},
		{"kbus --bus 0 sen", "kbus --bus 0 send "},
		{"kbus-limpet sta", "kbus-limpet status "},
	}},
	{"fish", []string{"--no-config", "-i"}, "source $HOME/kbus.fish; source $HOME/kbus-limpet.fish; function fish_prompt; printf 'READY%s' '> '; end", nil},
}

// keys is what is typed before Tab, and the line that it becomes.
type keys struct{ typed, line string }

// TestShells types into real shells. That for bash works without the package bash-completion.
func TestShells(t *testing.T) {
	withDaemon(t, 1)
	home := t.TempDir()
	t.Setenv("HOME", home)
	k := openKsock(t)
	must(t, k.Bind(t.Context(), "$.Actor.News", kbus.Listener))
	must(t, k.Bind(t.Context(), "$.Wild.*", kbus.Listener))
	for _, s := range shellsToTry {
		t.Run(s.name, func(t *testing.T) {
			program, err := exec.LookPath(s.name)
			if err != nil {
				t.Skipf("no %s here; install it with: apt-get install %s", s.name, s.name)
			}
			for _, name := range []string{"kbus", "kbus-limpet"} {
				script, err := exec.Command(name, "completion", s.name).Output()
				must(t, err)
				must(t, os.WriteFile(filepath.Join(home, name+"."+s.name), script, 0o644))
			}
			if s.name == "fish" {
				inFish(t, program)
				return
			}
			for _, k := range s.typed {
				inShell(t, program, s.args, s.setup, k)
			}
		})
	}
}

// end is typed behind Tab, to know when the shell is done with that.
const end = "#END"

// inShell types into a shell of its own, so that nothing is there from the line before.
func inShell(t *testing.T, program string, args []string, setup string, k keys) {
	t.Helper()
	shell, person := programOnTerminal(t, "TERM=dumb", program, args...)
	shown := bufio.NewReader(person)
	typed(t, person, setup+"\r")
	until(t, shown, "READY> ")
	typed(t, person, k.typed+"\t"+end)
	seen := strings.ReplaceAll(until(t, shown, end), " \b ", " ") // zsh shows a blank in bold
	if !strings.HasSuffix(seen, k.line+end) {
		t.Errorf("%s: %q became %q, not %q", program, k.typed, seen, k.line)
	}
	must(t, shell.Process.Kill())
	_ = shell.Wait()
}

// inFish asks fish itself, which needs no terminal for that.
func inFish(t *testing.T, program string) {
	for typed, want := range map[string]string{
		"kbus send '$.Act":                  "$.Actor.News",
		`kbus send "$.Act`:                  "$.Actor.News",
		`kbus send \$.Act`:                  "$.Actor.News",
		"kbus listen '$.X.Y' '$.W":          "$.Wild.*",
		"kbus listen --format=mes":          "--format=message",
		"kbus --bus 0 sen":                  "send\tsend an Announcement",
		"kbus-limpet sta":                   "status\ttell how the federation looks from this bus",
		"kbus send '$.Nobody":               "",
		"kbus send '$.Actor.News' /dev/nul": "/dev/null",
	} {
		c := exec.Command(program, "--no-config", "-c",
			"source $HOME/kbus.fish; source $HOME/kbus-limpet.fish; complete -C $argv[1]", typed)
		out, err := c.Output()
		must(t, err)
		if got := strings.TrimSuffix(string(out), "\n"); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

func typed(t *testing.T, person io.Writer, text string) {
	t.Helper()
	_, err := io.WriteString(person, text)
	must(t, err)
}
