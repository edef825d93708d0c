package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// withRules goes to a directory with the rules and expectations of the manual.
func withRules(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "rules.d"), 0o755))
	for name, text := range map[string]string{
		"rules.d/10-door.toml": "[[rule]]\nallow = [\"listen\", \"request\"]\nname = \"$.Door.*\"\nuser = [1000, 1001]\n[[rule]]\ndeny = \"reply\"\nname = \"$.Door.Lock\"\n",
		"expected.toml":        "rules = \"rules.d\"\n[[expect]]\nallow = [\"listen\", \"request\"]\nname = [\"$.Door.Lock\", \"$.Door.Bell\"]\nuser = 1001\n[[expect]]\ndeny = \"reply\"\nname = \"$.Door.Lock\"\nrule = \"10-door.toml:5\"\n",
		"wrong.toml":           "rules = \"rules.d\"\n[[expect]]\nallow = \"open\"\n[[expect]]\ndeny = \"reply\"\nname = \"$.Door.Lock\"\nrule = \"10-door.toml:1\"\n",
		"bad.toml":             "[[rule]]\nallow = \"sent\"\n[[rule]]\nDeny = \"send\"\n",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	t.Chdir(dir)
}

func TestRulesCheckAndTest(t *testing.T) {
	withRules(t)
	if got := kbusOK(t, "rules", "check", "rules.d"); got != "rules.d: 2 rules\n" {
		t.Error(got)
	}
	if got := kbusOK(t, "rules", "test", "expected.toml"); got != "5 decisions, all as expected\n" {
		t.Error(got)
	}
	c := start(t, "kbus", "rules", "test", "wrong.toml")
	if status := c.status(t); status != int(syscall.EINVAL) || c.out.String() !=
		"wrong.toml:2: expected allow, but no rule allows to open a Ksock, and with rules what none allows is denied\n"+
			"wrong.toml:4: expected deny by 10-door.toml:1, but rule rules.d/10-door.toml:5 denies to bind $.Door.Lock as Replier\n" {
		t.Errorf("status %d, %s", status, &c.out)
	}
	want := "bad.toml:2:9: allow: unknown operation \"sent\""
	if got := kbusFails(t, int(syscall.EINVAL), "rules", "check", "bad.toml"); !strings.HasPrefix(got, want) || !strings.Contains(got, "bad.toml:4:1: unknown key \"Deny\"") {
		t.Error(got)
	}
}

// A file whose name does not end in .toml is not read: that is said, and that without rules nothing is denied.
func TestCheckSaysWhatIsNotRead(t *testing.T) {
	for what, path := range map[string]string{"rules": "r", "services": "s"} {
		t.Chdir(t.TempDir())
		must(t, os.Mkdir(path, 0o755))
		for _, name := range []string{"10-x.conf", ".hidden", "10-x.toml~"} {
			must(t, os.WriteFile(filepath.Join(path, name), []byte("no TOML"), 0o644))
		}
		want := map[string]string{"rules": "r: 0 rules: nothing is denied\n", "services": "s: 0 services\n"}[what]
		c := start(t, "kbus", what, "check", path)
		if status := c.status(t); status != 0 || c.out.String() != want || c.err.String() != path+"/10-x.conf: not read, for its name does not end in .toml\n" {
			t.Errorf("status %d, %s%s", status, &c.out, &c.err)
		}
		c = start(t, "kbus", what, "check", path, "--json")
		if status := c.status(t); status != 0 || c.err.String() != "{\"note\":\""+path+"/10-x.conf: not read, for its name does not end in .toml\"}\n" {
			t.Errorf("status %d, %s%s", status, &c.out, &c.err)
		}
	}
}

func TestExplain(t *testing.T) {
	withRules(t)
	for _, c := range []struct {
		args, want string
	}{
		{"--user 1001 --reply $.Door.Lock", "denied: bind $.Door.Lock as Replier\n  user 1001, program not known, control group not known\n" +
			"  the last rule that matches is rules.d/10-door.toml:5:\n      deny reply; name $.Door.Lock\n"},
		{"--user 1001 --listen $.Door.*", "allowed: listen to $.Door.*\n  user 1001, program not known, control group not known\n" +
			"  the last rule that matches is rules.d/10-door.toml:1:\n      allow listen, request; name $.Door.*; user 1000, 1001\n"},
		{"--user 1002 --request $.Door.Bell", "denied: send the Request $.Door.Bell\n  user 1002, program not known, control group not known\n" +
			"  no rule matches, and with rules what none allows is denied\n" +
			"  does not match because of its user, rules.d/10-door.toml:1:\n      allow listen, request; name $.Door.*; user 1000, 1001\n"},
	} {
		args := append([]string{"explain", "--rules", "rules.d"}, strings.Fields(c.args)...)
		if got := kbusOK(t, args...); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.args, got, c.want)
		}
	}
	var j jsonExplanation
	if err := os.Mkdir("empty.d", 0o755); err != nil {
		t.Fatal(err)
	}
	if got := kbusOK(t, "explain", "--rules", "empty.d", "--tap"); !strings.Contains(got, "there are no rules in empty.d") {
		t.Errorf("it does not say where it has looked:\n%s", got)
	}
	must(t, json.Unmarshal([]byte(kbusOK(t, "explain", "--rules", "rules.d", "--user", "7", "--tap", "--json")), &j))
	if j.Allowed || j.Operation != "tap" || j.Rule != nil {
		t.Errorf("%+v", j)
	}
}
