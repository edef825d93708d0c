package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// completed gives what Tab would offer at the end of that command line, without the explanations.
func completed(t *testing.T, args ...string) []string {
	t.Helper()
	c := start(t, "kbus", append([]string{"__complete"}, args...)...)
	if status := c.status(t); status != 0 {
		t.Fatalf("%q: status %d, %s", args, status, &c.err)
	}
	var words []string
	for line := range strings.Lines(c.out.String()) {
		if !strings.HasPrefix(line, ":") { // the last line is for the shell
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			words = append(words, word)
		}
	}
	return words
}

func TestCompletion(t *testing.T) {
	withDaemon(t, 2)
	k := openKsock(t)
	for _, b := range []kbus.Binding{
		{Name: "$.Actor.Speak", As: kbus.Listener}, {Name: "$.Actor.Speak", As: kbus.Listener},
		{Name: "$.Actor.*", As: kbus.Listener}, {Name: "$.Ask.%", As: kbus.Replier}, {Name: "$.Ask.Me", As: kbus.Replier},
	} {
		must(t, k.Bind(t.Context(), b.Name, b.As))
	}
	for _, c := range []struct{ line, want string }{
		{"send $.A", "$.Actor.Speak $.Ask.Me"},
		{"send $.Actor.", "$.Actor.Speak"},
		{"send $.Actor.Speak ", ""},
		{"send --bus 1 $.A", ""},
		{"send --bus 9 $.A", ""},
		{"ask $.", "$.Ask.Me"},
		{"who $.A", "$.Actor.Speak $.Ask.Me"},
		{"listen $.A", "$.Actor.* $.Actor.Speak $.Ask.% $.Ask.Me"},
		{"listen $.Actor.* $.Actor", "$.Actor.Speak"},
		{"list --bus ", "0 1"},
		{"listen --format ", "message data raw"},
		{"completion ", "bash zsh fish powershell"},
		{"help an", "answer"},
		{"errno EPIP", "EPIPE"},
		{"l", "listen limpet list"},
		{"t", "top"},
		{"top --on", "--once"},
		{"act", ""},
	} {
		args := strings.Split(c.line, " ")
		got := slices.DeleteFunc(completed(t, args...), func(word string) bool {
			return !strings.HasPrefix(word, args[len(args)-1]) // shells do that, too
		})
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q, want %q", c.line, got, c.want)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range cli.Shells {
		script := kbusOK(t, "completion", shell)
		if !strings.Contains(script, "__complete") {
			t.Errorf("%s: %q", shell, script)
		}
		var j struct{ Shell, Script string }
		must(t, json.Unmarshal([]byte(kbusOK(t, "completion", shell, "--json")), &j))
		if j.Shell != shell || j.Script != script {
			t.Errorf("%s: the JSON says %s", shell, j.Shell)
		}
	}
}

func TestVersion(t *testing.T) {
	text := kbusOK(t, "version")
	var j struct{ Version, Go, System string }
	must(t, json.Unmarshal([]byte(kbusOK(t, "version", "--json")), &j))
	if text != "kbus "+j.Version+" ("+j.Go+", "+j.System+")\n" || j.Version == "" {
		t.Errorf("%q and %+v", text, j)
	}
}

// Files are offered for a flag whose value is one, or a command, and for no other.
func TestFlagsThatTakeFiles(t *testing.T) {
	for line, files := range map[string]bool{
		"monitor --ksock": false, "monitor --follow": false, "record --for": false, "send --timeout": false,
		"monitor --decode": true, "answer --card": true, "list --dir": true,
	} {
		c := start(t, "kbus", append([]string{"__complete"}, append(strings.Fields(line), "")...)...)
		if status := c.status(t); status != 0 || strings.HasSuffix(strings.TrimSpace(c.out.String()), ":4") == files {
			t.Errorf("%s: files are offered, which is wrong: %v; status %d, %s%s", line, !files, status, &c.out, &c.err)
		}
	}
}
